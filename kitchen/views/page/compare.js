// What came out, and the reader's answer drawn over it. The truth stands in the output, in words for everybody and as data; the
// answer comes from the form for the same question, wherever in the page that is, and whenever it is given.

import { hears, kept, placeOf } from "./answers.js";
import { enliven } from "./controls.js";
import { element } from "./element.js";
import { PAINTED, fits, plain, said, shown } from "./predict.js";
import { ticks, timeText } from "./words.js";

// What a page calls: brings the comparison of this name to life.
export function compareSaved(name) {
  enliven(name, Comparison);
}

class Comparison {
  constructor(root) {
    this.root = root;
    root.kitchen = this;
    this.place = placeOf(root);
    this.asked = JSON.parse(root.querySelector("script[type='application/json']").textContent);
    this.came = root.querySelector(".kitchen-came");
    this.mine = element("div", "mine", { "aria-live": "polite" });
    this.came.before(this.mine);
    const draw = (comparison, { target }) => (target === document || target.dataset.kitchenQuestion === comparison.place.question) && comparison.draw();
    for (const kind of ["kitchen:answered", "kitchen:forgotten"]) hears(this, kind, draw);
    this.draw();
  }

  draw() {
    const { asked, root, mine, came } = this;
    const answer = kept(this.place);
    const { right, parts, isTold } = fits(asked, answer) ? COMPARED[asked.kind](asked, answer, asked.truth) : unanswered(asked);
    mine.replaceChildren(...parts);
    came.classList.toggle("kitchen-unseen", Boolean(isTold)); // what the picture says is not said twice
    root.classList.toggle("kitchen-right", right === true);
  }
}

const line = (...words) => element("p", "verdict", {}, ...words);
const unseen = (words) => element("p", "unseen", {}, words);

function unanswered(asked) {
  const parts = [line("No prediction was made.")];
  return asked.kind === "drawing" ? { parts: [lanes(asked, null, asked.truth), ...parts], isTold: true } : { parts };
}

// Of each kind: whether the answer was right, the parts of the comparison, and whether they tell what came out.
const COMPARED = { number: withBar, choice: withSentence, order: withList, drawing: withGhosts };

// How far off a number is, in words, and whether that is close.
export function distance(asked, answer, truth) {
  const right = Math.abs(answer - truth) <= 0.1 * Math.abs(truth);
  if (right) return { right, remark: said(asked, answer) === said(asked, truth) ? "That is it." : "Close." };
  if (answer > 0 && truth > 0) {
    const more = `${+(Math.max(answer, truth) / Math.min(answer, truth)).toPrecision(3)} times as much`;
    return { right, remark: answer > truth ? `You said ${more}.` : `It is ${more}.` };
  }
  return { right, remark: `That is ${said(asked, Math.abs(answer - truth))} off.` };
}

// A bar as long as the truth, and a flag where the reader thought that it would end, on one axis.
function withBar(asked, answer, truth) {
  const { right, remark } = distance(asked, answer, truth);
  const [low, high] = [Math.min(0, answer, truth), Math.max(0, answer, truth)];
  const { step } = ticks(low, high, 6);
  const [from, to] = [Math.floor(low / step + 1e-9) * step, Math.ceil(high / step - 1e-9) * step || 1];
  const part = (value) => (100 * (value - from)) / (to - from);
  const [left, end] = [Math.min(part(0), part(truth)), Math.max(part(0), part(truth))];
  const at = (name, value, words) => element("span", `${name}${part(value) > 60 ? " kitchen-leftwards" : ""}`, { style: `left: ${part(value)}%` }, words);
  const scale = element(
    "div",
    "scale",
    { "aria-hidden": "true" },
    element("i", "bar", { style: `left: ${left}%; width: ${end - left}%` }),
    at("flag", answer, `you said ${said({ kind: "number", unit: "" }, answer)}`),
    at("value", Math.max(truth, 0), said(asked, truth)),
    axis(ticks(from, to, 6), part),
  );
  return { right, isTold: true, parts: [scale, unseen(`You said ${said(asked, answer)}.`), line(remark)] };
}

function axis({ step, at }, part) {
  const marks = at.map((time) => element("span", "", { style: `left: ${part(time)}%` }, timeText(time, step)));
  return element("div", "marks", { "aria-hidden": "true" }, ...marks);
}

function withSentence({ options }, answer, truth) {
  const mine = ["You said “", ...shown(options[answer])];
  const right = answer === truth;
  return { right, isTold: right, parts: [line(...mine, right ? "”, and so it is." : "”")] };
}

// The order that came out; at each thing, where the reader had it.
function withList({ options }, answer, truth) {
  const items = truth.map((item, place) => {
    const mine = answer.indexOf(item);
    const mark = mine === place ? element("b", "good", {}, "✓") : element("em", "", {}, `you said ${nth(mine + 1)}`);
    return element("li", "", {}, plain(options[item]), " ", mark);
  });
  const placed = truth.filter((item, place) => answer[place] === item).length;
  const right = placed === truth.length;
  const remark = right ? "That is it." : `${placed} of ${truth.length} in the right place.`;
  return { right, isTold: true, parts: [element("ol", "", { "aria-hidden": "true" }, ...items), unseen(`You said: ${said({ kind: "order", options }, answer)}.`), line(remark)] };
}

function nth(number) {
  const teens = number % 100 > 10 && number % 100 < 14;
  return `${number}${(!teens && ["", "st", "nd", "rd"][number % 10]) || "th"}`;
}

// A drawing is right piece by piece; a piece is what was drawn, or came, in one step of one lane.
export function pieces(answer, truth) {
  const all = truth.flatMap((row, lane) => row.map((state, column) => [answer[lane][column], state])).filter(([mine, its]) => mine || its);
  return { right: all.filter(([mine, its]) => mine === its).length, of: all.length };
}

function withGhosts(asked, answer, truth) {
  const { right, of } = pieces(answer, truth);
  const remark = right === of ? "All as you drew them." : `${right} of ${of} pieces as you drew them.`;
  return { right: right === of, isTold: true, parts: [lanes(asked, answer, truth), line(remark)] };
}

// The lanes as they came, each with what the reader drew as a ghost above it; framed where something else came.
function lanes({ options, columns, step }, answer, truth) {
  const part = (column) => (100 * column) / columns;
  const bars = (row, other) =>
    stretches(row, other).map(({ from, to, state, isOff }) =>
      element("i", `is-${PAINTED[state]}${isOff ? " kitchen-off" : ""}`, { style: `left: ${part(from)}%; width: ${part(to - from)}%` }),
    );
  const rows = options.flatMap((name, lane) => [
    element("span", "", {}, name),
    element("div", "lane", {}, ...(answer ? [element("div", "ghost", {}, ...bars(answer[lane], truth[lane]))] : []), element("div", "", {}, ...bars(truth[lane]))),
  ]);
  const scale = axis(ticks(0, columns * step, 8), (time) => part(time / step));
  const key = element("span", "", {}, answer ? "thin: yours" : "");
  return element("div", "compared", { "aria-hidden": "true", style: `max-width: ${90 + 28 * columns}px` }, ...rows, key, scale);
}

// A row of states as the bars of what there is: in each, neither the state changes nor whether it is another than in `other`.
export function stretches(row, other = row) {
  const found = [];
  row.forEach((state, column) => {
    const isOff = state !== other[column];
    const last = found.at(-1);
    if (last && last.state === state && last.isOff === isOff) last.to = column + 1;
    else found.push({ from: column, to: column + 1, state, isOff });
  });
  return found.filter(({ state }) => state);
}
