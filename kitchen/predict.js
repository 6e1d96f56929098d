// What a reader answers before a run: a number, one of several sentences, an order, a drawing. Python holds the answer;
// this only takes it. Everything works with the keyboard alone, and nothing here is ever waited for.

export const STATES = ["nothing", "running", "ready", "waiting", "idling"]; // a drawing's numbers

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

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

// A text with what stands between backticks as code; [text, isCode] pairs, so that nothing in it can become HTML.
export function marked(text) {
  const pieces = text.split(/`([^`]+)`/);
  return pieces.map((piece, place) => [piece, place % 2 === 1]).filter(([piece]) => piece);
}

function plain(text) {
  return marked(text).map(([piece]) => piece).join("");
}

function shown(text) {
  return marked(text).map(([piece, isCode]) => (isCode ? element("code", {}, piece) : piece));
}

const KINDS = { number, choice, order, drawing };

export function render({ model, el }) {
  const asked = model.get("asked");
  const noted = element("p", { class: "kitchen-noted", "aria-live": "polite" });
  const note = () => {
    const words = model.get("noted");
    noted.textContent = words ? `Noted: ${words}. Now run on.` : "No prediction yet.";
  };
  const give = (answer) => {
    model.set("answer", answer);
    model.save_changes();
  };
  const body = element("div");
  KINDS[asked.kind](body, asked, model.get("answer"), give);
  const legend = element("legend", {}, ...shown(asked.question));
  const root = element("div", { class: "kitchen-asks", "data-lm-suppress-shortcuts": "true" }, element("fieldset", {}, legend, body), noted);
  root.addEventListener("keydown", (event) => event.shiftKey && event.key === "Enter" ? null : event.stopPropagation());
  el.replaceChildren(root);
  note();
  model.on("change:noted", note);
}

function number(body, asked, answer, give) {
  const input = element("input", { type: "number", step: "any", "aria-label": `${plain(asked.question)} (${asked.unit || "a number"})` });
  if (answer !== null) input.value = answer;
  input.addEventListener("input", () => give(input.value === "" ? null : input.valueAsNumber));
  body.append(element("label", {}, input, asked.unit));
}

function choice(body, asked, answer, give) {
  const group = `kitchen-${Math.random().toString(36).slice(2)}`;
  asked.options.forEach((text, place) => {
    const input = element("input", { type: "radio", name: group });
    input.checked = place === answer;
    input.addEventListener("change", () => give(place));
    body.append(element("label", {}, input, element("span", {}, ...shown(text))));
  });
}

function order(body, asked, answer, give) {
  const list = element("ol");
  const commit = element("button", { type: "button" }, "This is my order");
  let current = answer ?? asked.options.map((_, place) => place);
  const build = (focus) => {
    let target = null;
    list.replaceChildren(
      ...current.map((item, place) => {
        const move = (by, sign, where) => {
          const button = element("button", { type: "button", "aria-label": `${plain(asked.options[item])}: ${where}` }, sign);
          button.disabled = moved(current, place, by) === current;
          button.addEventListener("click", () => {
            current = moved(current, place, by);
            build([item, by]);
            give(current);
          });
          if (focus && focus[0] === item && focus[1] === by) target = button;
          return button;
        };
        const name = element("span", {}, ...shown(asked.options[item]));
        return element("li", {}, element("span", { class: "kitchen-item" }, name, move(-1, "↑", "earlier"), move(1, "↓", "later")));
      }),
    );
    (target?.disabled ? other(target) : target)?.focus(); // at once: the next key may come before the next frame
  };
  const other = (button) => button.nextElementSibling?.matches("button") ? button.nextElementSibling : button.previousElementSibling;
  commit.addEventListener("click", () => give(current));
  build();
  body.append(list, commit);
}

function drawing(body, asked, answer, give) {
  const { options, columns, states, step, unit } = asked;
  const grid = answer ? answer.map((row) => [...row]) : options.map(() => Array(columns).fill(0));
  let brush = states[0];
  const brushes = [...states, 0].map((state) => {
    const name = STATES[state];
    const swatch = element("i", { class: `kitchen-swatch kitchen-is-${name}` });
    const button = element("button", { type: "button", "aria-pressed": state === brush }, swatch, `${state} ${name.toUpperCase()}`);
    button.addEventListener("click", () => {
      brush = state;
      brushes.forEach((each, place) => each.setAttribute("aria-pressed", [...states, 0][place] === brush));
    });
    return button;
  });
  const cells = [];
  const paint = (row, column, state) => {
    grid[row][column] = state;
    show(row, column);
  };
  const show = (row, column) => {
    const cell = cells[row][column], name = STATES[grid[row][column]];
    cell.className = `kitchen-is-${name}`;
    cell.setAttribute("aria-label", `${options[row]}, ${column * step} to ${(column + 1) * step} ${unit}: ${name}`);
  };
  const done = () => give(grid.map((row) => [...row]));
  const table = element("table", { role: "grid", "aria-label": plain(asked.question) });
  options.forEach((name, row) => {
    const line = element("tr", { role: "row" }, element("th", { scope: "row" }, name));
    cells.push([]);
    for (let column = 0; column < columns; column++) {
      const cell = element("td", { role: "gridcell", tabindex: row || column ? -1 : 0 });
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
        else if (states.includes(Number(event.key))) paint(row, column, (brush = Number(event.key)));
        else if (["0", "Delete", "Backspace"].includes(event.key)) paint(row, column, 0);
        else return;
        event.preventDefault();
        brushes.forEach((each, place) => each.setAttribute("aria-pressed", [...states, 0][place] === brush));
        done();
      });
      line.append(cell);
    }
    table.append(line);
    cells[row].forEach((_, column) => show(row, column));
  });
  const focus = (row, column) => {
    for (const cell of cells.flat()) cell.tabIndex = -1;
    cells[row][column].tabIndex = 0;
    cells[row][column].focus();
  };
  table.addEventListener("pointerleave", (event) => event.buttons === 1 && done());
  for (const end of ["pointerup", "pointercancel"]) table.addEventListener(end, done);
  const ticks = element("tr", { class: "kitchen-ticks", "aria-hidden": "true" }, element("th"));
  for (let column = 0; column < columns; column++) ticks.append(element("th", {}, `${+(column * step).toFixed(3)}`));
  table.append(ticks);
  const help = "Choose a state and paint with the mouse; or: arrows walk, a digit paints, Shift and an arrow paint on, 0 erases.";
  body.append(
    element("div", { class: "kitchen-palette", role: "toolbar", "aria-label": "What to paint" }, ...brushes),
    element("div", { class: "kitchen-wide" }, table),
    element("p", {}, help),
  );
}

export default { render };
