// You are the GIL: the reader chooses which of two threads takes the next step. All situations are known; the page only walks.

import { element } from "./element.js";
import { handBack, keepKeys } from "./notebook.js";

const NAMES = ["A", "B"];
const GOALS = { lost: "lose an update", deadlock: "bring both to a standstill", fine: "break it" }; // fine: no order breaks it

// The situation after these steps, each of them the number of a thread; a step that nobody can take is an error.
export function walked(facts, steps) {
  return steps.reduce((here, thread) => {
    const there = facts.moves[here][thread];
    if (there === null) throw new Error(`${NAMES[thread]} cannot take a step`);
    return there;
  }, 0);
}

// What a thread's button says, and whether it can be pressed.
export function affordance(facts, here, thread) {
  const { at, wants } = facts.situations[here];
  if (wants[thread]) return [`${NAMES[thread]} is WAITING for ${wants[thread]}`, false];
  if (at[thread] === facts.lines[thread].length) return [`${NAMES[thread]} is done`, false];
  return [`${NAMES[thread]} takes a step`, true];
}

// How things stand, in words.
export function standing(facts, steps) {
  const { end, said } = facts.situations[walked(facts, steps)];
  const fewest = facts.shortest.length;
  if (!end) return `Can you ${GOALS[facts.goal]}? Who has the GIL next?`;
  if (facts.goal === "fine") return `${said} No order breaks it.`;
  if (end !== facts.goal) return `${said} So ${GOALS[facts.goal]}: take a step back, or start again.`;
  const score = steps.length > fewest ? `You took ${steps.length} steps; ${fewest} would do.` : `It takes ${fewest} steps, and no fewer.`;
  return `${said} You did it. ${score}`;
}

export function startGil(name) {
  for (const game of document.querySelectorAll(`[data-gil="${name}"]:not(.kitchen-live)`)) start(game);
}

function start(game) {
  const facts = JSON.parse(game.querySelector("script").textContent);
  let steps = [];
  const sides = NAMES.map((name, thread) => {
    const lines = facts.lines[thread].map((line) => element("li", "", {}, line));
    const code = element("ol", "code", { "aria-label": `Thread ${name}` }, ...lines);
    const [own, button] = [element("div", "own"), element("button", "", { type: "button" })];
    const root = element("div", "", {}, element("b", "", {}, `Thread ${name}`), code, own, button);
    button.addEventListener("click", () => step(thread));
    return { root, lines, own, button };
  });
  const [seen, order, said] = [element("p", "seen"), element("p"), element("p", "said", { role: "status" })];
  const other = (words, act) => {
    const button = element("button", "", { type: "button" }, words);
    button.addEventListener("click", () => { act(); show(); });
    return button;
  };
  const undo = other("one step back", () => { steps = steps.slice(0, -1); });
  const again = other("start again", () => { steps = []; });
  const tell = other("show me a shortest order", () => { steps = [...facts.shortest].map((letter) => NAMES.indexOf(letter)); });
  const show = () => {
    const here = walked(facts, steps);
    const { at, own, wants, seen: shared } = facts.situations[here];
    sides.forEach((side, thread) => {
      side.lines.forEach((line, place) => (place === at[thread] ? line.setAttribute("aria-current", "step") : line.removeAttribute("aria-current")));
      side.own.textContent = own[thread];
      side.root.className = wants[thread] ? "kitchen-wants" : "";
      const [words, can] = affordance(facts, here, thread);
      side.button.textContent = words;
      side.button.setAttribute("aria-disabled", !can);
    });
    for (const button of [undo, again]) button.setAttribute("aria-disabled", !steps.length);
    seen.textContent = shared;
    order.textContent = `Steps so far: ${steps.map((thread) => NAMES[thread]).join(" ") || "none"}`;
    said.textContent = standing(facts, steps);
  };
  const step = (thread) => {
    if (!affordance(facts, walked(facts, steps), thread)[1]) return;
    steps = [...steps, thread];
    show();
  };
  keepKeys(game).addEventListener("keydown", (event) => {
    handBack(game, event, true);
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const thread = NAMES.indexOf(event.key.toUpperCase());
    if (thread >= 0) step(thread);
    else if (event.key === "Backspace") undo.click();
    else return;
    event.preventDefault();
  });
  const threads = element("div", "threads", {}, ...sides.map((side) => side.root));
  const keys = element("p", "", {}, "Keys: A and B, Backspace for a step back.");
  const scripts = game.querySelectorAll("script, style");
  game.replaceChildren(...scripts, seen, threads, order, said, element("div", "", {}, undo, again, tell), keys);
  game.classList.add("kitchen-live");
  show();
}
