// A quiz is words and folded answers until this runs; then its options become buttons, and each says why when it is pressed.

import { element } from "./element.js";
import { handBack, keepKeys } from "./notebook.js";

// What stands under the questions: how many are answered, and how many of them at the first go.
export function scoreText(tries) {
  const done = tries.filter((each) => each.right).length;
  const first = tries.filter((each) => each.right && each.count === 1).length;
  if (!done) return `${tries.length} questions. Choose an answer: it says why it is right or wrong.`;
  const score = `${first} of ${done} at the first go`;
  return done < tries.length ? `${done} of ${tries.length} answered, ${score}.` : `All answered, ${score}.`;
}

export function startQuizzes(name) {
  for (const quiz of document.querySelectorAll(`[data-quiz="${name}"]:not(.kitchen-live)`)) start(quiz);
}

function start(quiz) {
  quiz.classList.add("kitchen-live");
  keepKeys(quiz).addEventListener("keydown", (event) => handBack(quiz, event, true)); // it is not to begin again itself
  const score = element("p", "score", { role: "status" });
  const tries = [...quiz.querySelectorAll(":scope > ol > li")].map((question) => ask(question, () => say()));
  const say = () => { score.textContent = scoreText(tries); };
  quiz.append(score);
  say();
}

// Makes buttons of a question's options; returns how it stands.
function ask(question, told) {
  const [options, folded] = [question.querySelector("ul"), question.querySelector("details")];
  const reasons = folded.querySelectorAll("li");
  const why = element("p", "why", { "aria-live": "polite" });
  const how = { count: 0, right: false };
  [...options.children].forEach((item, place) => {
    const right = reasons[place].classList.contains("kitchen-right");
    const button = element("button", "", { type: "button" }, ...item.childNodes);
    button.addEventListener("click", () => {
      if (!button.className) {
        how.count += how.right ? 0 : 1;
        button.className = right ? "kitchen-right" : "kitchen-wrong";
        how.right ||= right;
      }
      why.replaceChildren(right ? "✓ Right. " : "✗ No. ", ...reasons[place].querySelector("span").cloneNode(true).childNodes);
      told();
    });
    item.replaceChildren(button);
  });
  folded.hidden = true;
  question.append(why);
  return how;
}
