// What a reader answers before a run: a number, one of several sentences, an order, a drawing. The page keeps the answer, and a
// kernel, where there is one, is told it (line.js). Everything works with the keyboard alone, and nothing is ever waited for.
//
// An answer is given by a button or by Enter, or by leaving the form. Until then it is a draft: what follows in the page may be
// covered until it is given, and half a number is to uncover nothing.

import { before, forget, hears, keep, kept, placeOf } from "./answers.js";
import { enliven } from "./controls.js";
import { element } from "./element.js";
import { backToCell, keepKeys, pressOnCell } from "./notebook.js";
import { counted, threeDigits } from "./words.js";

const HEARING = 500; // milliseconds that a kernel may take to say that it has heard an answer, until the next cell is run

export const PAINTED = ["nothing", "running", "ready", "waiting", "idling"]; // a drawing's numbers

// The order that comes of moving the item at `from` by one place; the same list where there is no such place.
export function moved(order, from, by) {
  const to = from + by;
  if (to < 0 || to >= order.length) return order;
  const next = [...order];
  [next[from], next[to]] = [next[to], next[from]];
  return next;
}

// Where an arrow key leads in a grid of this size, staying inside; null for any other key.
export function stepped(key, row, column, rows, columns) {
  const ways = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0], Home: [0, -columns], End: [0, columns] };
  if (!ways[key]) return null;
  const inside = (place, size) => Math.min(Math.max(place, 0), size - 1);
  return [inside(row + ways[key][0], rows), inside(column + ways[key][1], columns)];
}

// A text with what stands between backticks as code; [text, isCode] pairs, so that nothing in it can become HTML.
export function marked(text) {
  const pieces = text.split(/`([^`]+)`/);
  return pieces.map((piece, place) => [piece, place % 2 === 1]).filter(([piece]) => piece);
}

export function plain(text) {
  return marked(text).map(([piece]) => piece).join("");
}

export function shown(text) {
  return marked(text).map(([piece, isCode]) => (isCode ? element("code", "", {}, piece) : piece));
}

// Whether this can be an answer to what was asked: Python looks at it in the same way.
export function fits({ kind, options, columns, least }, answer) {
  const within = (number, size) => Number.isInteger(number) && number >= 0 && number < size;
  if (kind === "number") return Number.isFinite(answer) && answer >= least;
  if (kind === "choice") return within(answer, options.length);
  if (!Array.isArray(answer) || answer.length !== options.length) return false;
  if (kind === "order") return new Set(answer).size === options.length && answer.every((item) => within(item, options.length));
  const isRow = (row) => Array.isArray(row) && row.length === columns && row.every((state) => within(state, PAINTED.length));
  return answer.every(isRow) && answer.flat().some(Boolean);
}

// An answer in words.
export function said({ kind, options, unit }, answer) {
  if (kind === "number") return `${threeDigits(answer)} ${unit}`.trim();
  if (kind === "choice") return `“${plain(options[answer])}”`;
  if (kind === "order") return answer.map((item) => plain(options[item])).join(", ");
  return `${counted(answer.flat().filter(Boolean).length, "piece", "pieces")} painted`;
}

// What a page calls: brings the form of this name to life.
export function askSaved(name) {
  enliven(name, Form);
}

class Form {
  constructor(root) {
    this.root = root;
    root.kitchen = this;
    this.place = placeOf(root);
    const data = root.querySelector("script[type='application/json']");
    this.asked = JSON.parse(data.textContent);
    const legend = element("legend", "", {}, ...shown(this.asked.question));
    const body = element("div", "");
    this.fields = KINDS[this.asked.kind](body, this.asked, (isWhole) => this.touch(isWhole));
    this.noted = element("p", "noted", { "aria-live": "polite" });
    this.buttons = element("span", "buttons");
    root.replaceChildren(data, element("fieldset", "", {}, legend, body), element("div", "below", {}, this.noted, this.buttons));
    keepKeys(root);
    root.addEventListener("keydown", (event) => this.key(event));
    root.addEventListener("focusout", ({ relatedTarget }) => root.contains(relatedTarget) || this.leave());
    const isSame = ({ place }, other) => place.session === other.kitchenSession && place.question === other.kitchenQuestion;
    hears(this, "kitchen:answered", (form, { target, detail }) => target !== form.root && isSame(form, target.dataset) && form.show(detail.answer));
    hears(this, "kitchen:line", (form, { detail }) => isSame(form, detail.data) && form.hear(detail));
    hears(this, "kitchen:told", (form, { detail }) => isSame(form, detail.data) && form.isHeard?.());
    hears(this, "kitchen:forgotten", (form) => (form.answer === null ? form.note() : form.give(null)));
    const answer = kept(this.place);
    this.show(fits(this.asked, answer) ? answer : null);
    if (this.answer !== null) this.tell();
    root.dispatchEvent(new CustomEvent("kitchen:asks", { bubbles: true }));
  }

  // The line to the kernel says that it is there, and which answer it has; or that it has gone.
  hear({ gone, state }) {
    [this.gone, this.line] = [gone, !gone];
    if (gone) this.note();
    else if (this.answer !== null) this.tell();
    else if (fits(this.asked, state)) this.give(state);
  }

  // Something was changed; `isWhole`: it is the reader's answer as it stands.
  touch(isWhole) {
    this.touched = true;
    if (isWhole) this.leave();
  }

  // Takes what stands in the fields for the answer, if anything was changed.
  leave() {
    if (!this.touched) return true;
    const answer = this.fields.value();
    if (answer !== null && !fits(this.asked, answer)) {
      this.noted.textContent = `That cannot be: give a number of ${this.asked.least} or more.`;
      return false;
    }
    this.give(answer);
    return true;
  }

  give(answer) {
    keep(this.place, answer);
    this.show(answer);
    this.tell();
  }

  // A kernel may hear what a page says in a thread of its own, while it runs a cell: that cell is to come behind the answer.
  tell() {
    if (this.line) this.hearing = new Promise((isHeard) => setTimeout((this.isHeard = isHeard), HEARING));
    const detail = { key: this.place.question, answer: this.answer };
    this.root.dispatchEvent(new CustomEvent("kitchen:answered", { bubbles: true, detail }));
  }

  show(answer) {
    this.touched = false;
    this.answer = answer;
    this.fields.show(answer);
    this.root.toggleAttribute("data-kitchen-answered", answer !== null);
    this.note();
  }

  note() {
    const last = this.answer === null ? before(this.place) : null;
    const again = fits(this.asked, last) ? said(this.asked, last) : "";
    if (this.gone) this.noted.textContent = "The kernel that asked has gone: run this cell again for your code to hear of your answer.";
    else if (this.answer !== null) this.noted.textContent = `Noted: ${said(this.asked, this.answer)}. Now go on.`;
    else this.noted.textContent = again ? `Last time you said ${again}.` : "No prediction yet.";
    const button = (words, react) => {
      const made = element("button", "quiet", { type: "button" }, words);
      made.addEventListener("click", react);
      return made;
    };
    const all = [];
    if (again && !this.gone) all.push(button("Say it again", () => this.give(last)));
    if (this.answer !== null || again) all.push(button("Forget all my answers", () => forget()));
    this.buttons.replaceChildren(...all);
  }

  async runOn() {
    await this.hearing;
    const isStillHere = this.root.contains(document.activeElement); // else the reader goes on somewhere else
    if (isStillHere) pressOnCell(this.root, { key: "Enter", shiftKey: true }, true);
  }

  // Enter and Shift+Enter give the answer and run on with the next cell: the form's own cell is not run again. Ctrl+Enter
  // stays here, Escape goes back to the cell. On a button Enter presses it.
  key(event) {
    event.stopPropagation();
    const enters = event.key === "Enter" && (event.shiftKey || event.ctrlKey || event.target.tagName !== "BUTTON");
    if (enters) {
      event.preventDefault();
      if (this.leave() && !event.ctrlKey) this.runOn();
    } else if (event.key === "Escape") backToCell(this.root);
  }
}

// --- the fields of each kind: what is in them (`value`), and how they show an answer (`show`) ---------------------------

const KINDS = { number, choice, order, drawing };

function commit(words, touched) {
  const button = element("button", "commit", { type: "button" }, words);
  button.addEventListener("click", () => touched(true));
  return button;
}

function number(body, asked, touched) {
  const says = `${plain(asked.question)} (${asked.unit || "a number"})`;
  const input = element("input", "", { type: "number", step: "any", min: asked.least, inputmode: "decimal", "aria-label": says });
  input.addEventListener("input", () => touched());
  body.append(element("div", "row", {}, element("label", "", {}, input, asked.unit), commit("This is my answer", touched)));
  return {
    value: () => (input.validity.badInput ? NaN : input.value === "" ? null : input.valueAsNumber),
    show: (answer) => (input.value = answer ?? ""),
  };
}

function choice(body, asked, touched) {
  const group = `kitchen-${Math.random().toString(36).slice(2)}`;
  let walking = false; // with the arrow keys, from one to the next: nothing is chosen on the way
  const inputs = asked.options.map((text) => {
    const input = element("input", "", { type: "radio", name: group });
    input.addEventListener("keydown", ({ key }) => {
      walking = key.startsWith("Arrow");
      if (key === " " && input.checked) touched(true);
    });
    input.addEventListener("change", () => touched(!walking));
    body.append(element("label", "", {}, input, element("span", "", {}, ...shown(text))));
    return input;
  });
  body.addEventListener("pointerdown", () => (walking = false));
  return {
    value: () => (inputs.some((input) => input.checked) ? inputs.findIndex((input) => input.checked) : null),
    show: (answer) => inputs.forEach((input, place) => (input.checked = place === answer)),
  };
}

function order(body, asked, touched) {
  const list = element("ol", "");
  let current = asked.options.map((_, place) => place);
  const build = (focus) => {
    let target = null;
    list.replaceChildren(
      ...current.map((item, place) => {
        const move = (by, sign, where) => {
          const button = element("button", "", { type: "button", "aria-label": `${plain(asked.options[item])}: ${where}` }, sign);
          button.disabled = moved(current, place, by) === current;
          button.addEventListener("click", () => {
            current = moved(current, place, by);
            moving = true;
            build([item, by]);
            moving = false;
            touched();
          });
          if (focus && focus[0] === item && focus[1] === by) target = button;
          return button;
        };
        const name = element("span", "", {}, ...shown(asked.options[item]));
        return element("li", "", {}, element("span", "item", {}, name, move(-1, "↑", "earlier"), move(1, "↓", "later")));
      }),
    );
    (target?.disabled ? other(target) : target)?.focus(); // at once: the next key may come before the next frame
  };
  let moving = false; // the focus is gone for a moment, and the reader has not left
  list.addEventListener("focusout", (event) => moving && event.stopPropagation());
  const other = (button) => (button.nextElementSibling?.matches("button") ? button.nextElementSibling : button.previousElementSibling);
  body.append(list, commit("This is my order", touched));
  return {
    value: () => current,
    show: (answer) => {
      current = answer ?? asked.options.map((_, place) => place);
      build();
    },
  };
}

function drawing(body, asked, touched) {
  const { options, columns, states, step, unit } = asked;
  const grid = options.map(() => Array(columns).fill(0));
  let brush = states[0];
  const brushes = [...states, 0].map((state) => {
    const name = PAINTED[state];
    const swatch = element("i", `swatch kitchen-is-${name}`);
    const button = element("button", "", { type: "button", "aria-pressed": state === brush }, swatch, `${state} ${name.toUpperCase()}`);
    button.addEventListener("click", () => take(state));
    return button;
  });
  const take = (state) => {
    brush = state;
    brushes.forEach((each, place) => each.setAttribute("aria-pressed", [...states, 0][place] === brush));
  };
  const cells = [];
  const show = (row, column) => {
    const cell = cells[row][column], name = PAINTED[grid[row][column]];
    cell.className = `kitchen-is-${name}`;
    cell.setAttribute("aria-label", `${options[row]}, ${column * step} to ${(column + 1) * step} ${unit}: ${name}`);
  };
  const paint = (row, column, state) => {
    grid[row][column] = state;
    show(row, column);
    touched();
  };
  const focus = (row, column) => {
    for (const cell of cells.flat()) cell.tabIndex = -1;
    cells[row][column].tabIndex = 0;
    cells[row][column].focus();
  };
  const table = element("table", "", { role: "grid", "aria-label": plain(asked.question), style: `max-width: ${90 + 28 * columns}px` });
  options.forEach((name, row) => {
    const line = element("tr", "", { role: "row" }, element("th", "", { scope: "row" }, name));
    cells.push([]);
    for (let column = 0; column < columns; column++) {
      const cell = element("td", "", { role: "gridcell", tabindex: row || column ? -1 : 0 });
      cells[row].push(cell);
      cell.addEventListener("pointerdown", (event) => {
        if (event.button) return;
        event.preventDefault();
        cell.releasePointerCapture?.(event.pointerId);
        focus(row, column);
        paint(row, column, brush);
      });
      cell.addEventListener("pointerenter", (event) => event.buttons === 1 && paint(row, column, brush));
      cell.addEventListener("keydown", (event) => {
        if (event.ctrlKey || event.altKey || event.metaKey) return;
        const to = stepped(event.key, row, column, options.length, columns);
        if (to) {
          event.preventDefault();
          focus(...to);
          if (!event.shiftKey) return;
          paint(...to, brush);
        } else if (event.key === " ") paint(row, column, brush);
        else if (states.includes(Number(event.key))) {
          take(Number(event.key));
          paint(row, column, brush);
        } else if (["0", "Delete", "Backspace"].includes(event.key)) paint(row, column, 0);
        else return;
        event.preventDefault();
      });
      line.append(cell);
    }
    table.append(line);
    cells[row].forEach((_, column) => show(row, column));
  });
  const ticks = element("tr", "ticks", { "aria-hidden": "true" }, element("th", ""));
  const every = Math.ceil(columns / 10);
  for (let column = 0; column < columns; column++) ticks.append(element("th", "", {}, column % every ? "" : `${+(column * step).toFixed(3)}`));
  table.append(ticks);
  const help = "Choose a state and paint with the mouse or a finger; or: arrows walk, a digit paints, Shift and an arrow paint on, 0 erases.";
  body.append(
    element("div", "palette", { role: "toolbar", "aria-label": "What to paint" }, ...brushes),
    table,
    element("div", "row", {}, element("p", "", {}, help), commit("This is my drawing", touched)),
  );
  return {
    value: () => (grid.flat().some(Boolean) ? grid.map((row) => [...row]) : null),
    show: (answer) => {
      grid.forEach((row, at) => row.forEach((_, column) => ((row[column] = answer?.[at][column] ?? 0), show(at, column))));
    },
  };
}
