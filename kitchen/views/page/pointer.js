// Keys, the pointer, and the tip: what a reader points at in a figure, and what is told of it.

import { STATES, within } from "./film.js";
import { element } from "./element.js";
import { backToCell, pressOnCell } from "./notebook.js";
import { rowAt } from "./picture.js";
import { cookText, crowdText, lengthText } from "./words.js";

const SIDEWAYS = 8; // pixels that a finger goes until it is taken to move the playhead

export class Pointer {
  // `figure`: whose rows are pointed at, and which is moved.
  constructor(figure) {
    this.figure = figure;
    this.focus = null; // the row that the reader looks at
    this.walking = false; // whether she came there by the keyboard: then the tip goes along with the playhead
    this.tip = element("div", "tip", { role: "tooltip" });
    this.range = element("div", "range"); // what a mouse that goes with Shift has marked, to be shown alone
    this.tip.hidden = this.range.hidden = true;
  }

  listen() {
    const { root, lanes, axis } = this.figure;
    root.addEventListener("keydown", (event) => this.key(event));
    root.addEventListener("focusout", (event) => root.contains(event.relatedTarget) || this.lookAt(null));
    const isFinger = (event) => event.pointerType === "touch";
    lanes.addEventListener("pointermove", (event) => isFinger(event) || this.hover(event));
    lanes.addEventListener("pointerleave", (event) => this.dragging || isFinger(event) || this.lookAt(null));
    for (const canvas of [lanes, axis]) {
      canvas.addEventListener("pointerdown", (event) => this.drag(event, canvas));
      canvas.addEventListener("mousedown", (event) => event.shiftKey && this.keep(event));
      canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
      canvas.addEventListener("dblclick", () => this.figure.fit());
    }
  }

  // Whether a click on a lane is a wish: the page's side of the kernel hears of it, as `kitchen-lane`.
  get asks() {
    return this.figure.root.classList.contains("kitchen-asking");
  }

  wish({ kind, run, lane }) {
    if (kind !== "lane" || run !== this.figure.film.runs[0]) return;
    this.figure.root.dispatchEvent(new CustomEvent("kitchen-lane", { bubbles: true, detail: { lane } }));
  }

  // What a click, a tap or Enter does where a library's tasks are folded: they are shown, or not any more.
  unfold({ kind, run }) {
    if (kind !== "fold") return false;
    run.unfolded = !run.unfolded;
    this.figure.askFor();
    return true;
  }

  key(event) {
    const { figure } = this;
    if (event.key === "Enter" && (event.shiftKey || event.ctrlKey)) {
      event.preventDefault();
      pressOnCell(figure.root, event); // it runs the cell, as anywhere in a notebook
      return;
    }
    const typing = event.target.matches("select, input:not([type='range'])") || event.ctrlKey || event.metaKey || event.altKey;
    const onButton = event.target.tagName === "BUTTON" && (event.key === " " || event.key === "Enter");
    const doIt = {
      " ": () => figure.toggle(),
      ArrowLeft: () => figure.step(false),
      ArrowRight: () => figure.step(true),
      ArrowUp: () => this.walk(-1),
      ArrowDown: () => this.walk(1),
      Home: () => figure.goTo(0),
      End: () => figure.goTo(figure.duration),
      "+": () => figure.zoom(0.5),
      "=": () => figure.zoom(0.5),
      "-": () => figure.zoom(2),
      0: () => figure.fit(),
      Escape: () => (this.focus ? this.lookAt((figure.found = null)) : backToCell(figure.root) || event.target.blur()),
      Enter: this.focus && (this.asks || this.focus.kind === "fold") && (() => this.unfold(this.focus) || this.wish(this.focus)),
    }[event.key];
    if (!doIt || typing || onButton) return;
    event.preventDefault();
    event.stopPropagation();
    doIt();
  }

  // The reader goes from lane to lane: the tip tells of the span that is at the playhead.
  walk(by) {
    const { plan } = this.figure;
    if (!plan) return;
    const rows = plan.rows.filter((row) => row.height && row.kind !== "heading");
    const at = rows.indexOf(this.focus);
    const row = rows[at < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.max(0, Math.min(rows.length - 1, at + by))];
    if (row) this.walkTo(row);
  }

  walkTo(row) {
    const { visible, scroller, playhead, status } = this.figure;
    if (row.y < visible.top || row.y + row.height > visible.top + visible.height) scroller.scrollTop = row.y - visible.height / 2;
    visible.top = scroller.scrollTop;
    this.walking = true;
    this.lookAt(row, playhead);
    status.textContent = [...this.tip.children].map((line) => line.textContent).join(", ");
  }

  place(event) {
    const { lanes, camera, gutter, width } = this.figure;
    const box = lanes.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    return { time: camera.timeAt((x - gutter) / width), x, y };
  }

  hover(event) {
    const { plan, gutter, playhead } = this.figure;
    if (!plan || !this.range.hidden) return;
    const { time, x, y } = this.place(event);
    const row = rowAt(plan, y);
    this.walking = false;
    this.lookAt(row?.kind === "heading" ? null : row, x < gutter ? playhead : time);
  }

  // A mouse moves the playhead from where it goes down. A finger does so once it goes sideways: up and down it scrolls the page,
  // and a tap tells of what is under it.
  drag(down, canvas) {
    const { figure } = this;
    const isFinger = down.pointerType === "touch";
    const row = this.asks && figure.plan && down.button === 0 && rowAt(figure.plan, this.place(down).y);
    if (row && canvas === figure.lanes) {
      if (!isFinger) return this.wish(row);
      canvas.onpointerup = () => this.wish(row); // a tap: of one that scrolls, the browser says `pointercancel`
      canvas.onpointercancel = () => (canvas.onpointerup = null);
      canvas.onpointermove = (event) => Math.abs(event.clientX - down.clientX) > SIDEWAYS && canvas.onpointercancel();
      return undefined;
    }
    if (down.button !== 0 || !figure.plan) return undefined;
    const under = canvas === figure.lanes && rowAt(figure.plan, this.place(down).y);
    const isFold = under?.kind === "fold";
    if (isFold && !isFinger) return this.unfold(under);
    if (!isFold && this.place(down).x < figure.gutter) return undefined;
    if (down.shiftKey) return this.mark(down, canvas);
    const scrubTo = (event) => {
      if (!this.dragging && Math.abs(event.clientX - down.clientX) < SIDEWAYS) return;
      if (!this.dragging) canvas.setPointerCapture(down.pointerId);
      [this.dragging, figure.playing] = [true, false];
      figure.goTo(Math.max(0, this.place(event).time));
    };
    const over = (event) => {
      canvas.onpointermove = canvas.onpointerup = canvas.onpointercancel = null;
      if (isFinger && !this.dragging && event.type === "pointerup") isFold ? this.unfold(under) : this.hover(event);
      this.dragging = false;
    };
    if (!isFinger) {
      canvas.setPointerCapture(down.pointerId);
      this.dragging = true;
      scrubTo(down);
    }
    canvas.onpointermove = scrubTo;
    canvas.onpointerup = canvas.onpointercancel = over;
    return undefined;
  }

  // With Shift a mouse marks a range, and the picture shows that one alone.
  mark(down, canvas) {
    const { figure, range } = this;
    const begin = this.place(down);
    const marked = (event) => [begin, this.place(event)].sort((one, other) => one.x - other.x);
    canvas.setPointerCapture(down.pointerId);
    canvas.onpointermove = (event) => {
      const [left, right] = marked(event);
      range.style.left = `${left.x}px`;
      range.style.width = `${right.x - left.x}px`;
      range.hidden = right.x - left.x < SIDEWAYS;
      if (!range.hidden) this.lookAt(null);
    };
    canvas.onpointerup = canvas.onpointercancel = (event) => {
      canvas.onpointermove = canvas.onpointerup = canvas.onpointercancel = null;
      const [left, right] = marked(event);
      if (event.type === "pointerup" && !range.hidden) figure.look(left.time, right.time);
      range.hidden = true;
    };
  }

  // With Shift a page would select its text up to here, and a notebook its cells. The keys are the figure's all the same.
  keep(event) {
    event.preventDefault();
    event.stopPropagation();
    this.figure.root.focus({ preventScroll: true });
  }

  wheel(event) {
    const { figure } = this;
    if (event.ctrlKey || event.metaKey) figure.zoom(event.deltaY > 0 ? 1.25 : 0.8, this.place(event).time);
    else if (event.shiftKey && !figure.camera.fitted) figure.pan(Math.sign(event.deltaY || event.deltaX) * 0.1 * figure.camera.size);
    else return;
    event.preventDefault();
  }

  // The rows are others now: the one that is the same as before is looked at.
  found(rows) {
    const { focus } = this;
    const same = (row) => row.run === focus.run && row.kind === focus.kind && (row.kind === "cook" || row.lane === focus.lane);
    if (focus) this.lookAt(rows.find(same), this.lookedAt);
  }

  // The playhead is elsewhere: the tip of one who walks tells of that moment.
  moved(playhead) {
    if (this.focus && this.walking && this.lookedAt !== playhead) this.lookAt(this.focus, playhead);
  }

  // Tells of the span on a row at a time: what a pointer or the arrow keys are on. null: of none.
  lookAt(row, time) {
    const { figure, tip } = this;
    this.focus = row ?? null;
    this.lookedAt = time;
    tip.hidden = !row || !this.fillTip(row, time);
    if (!tip.hidden) {
      const { visible, gutter, width, room } = figure;
      const x = gutter + figure.camera.partOf(time) * width;
      const left = Math.max(0, Math.min(x + 14, gutter + width + room - tip.offsetWidth));
      const below = row.y + row.height + 6 - visible.top;
      const fits = below + tip.offsetHeight < visible.height + 30;
      tip.style.left = `${left}px`;
      tip.style.top = `${fits ? below : Math.max(0, row.y - visible.top - tip.offsetHeight - 6)}px`;
    }
    figure.wake();
  }

  // The words of the tip; false when there is nothing to tell.
  fillTip({ kind, run, lane }, time) {
    const then = within(run, time);
    if (then < 0) return false;
    const lines = [];
    if (kind === "chart") {
      lines.push(["strong", `of ${run.lanes.length} lanes`], ...crowdText(run, then).map((text) => ["span", text]));
    } else if (kind === "fold") {
      lines.push(["strong", `${run.asides.size} tasks that libraries made for themselves`], ["span", `A click or Enter ${run.unfolded ? "folds them" : "shows each"}.`]);
    } else if (kind === "cook") {
      lines.push(["strong", "the cook"], ["span", cookText(run, then)]);
    } else {
      const number = run.find(lane, then);
      const span = run.span(lane, number, this.figure.nowOf(run));
      lines.push(["strong", run.lanes[lane]]);
      if (span && then <= span.end) {
        const open = run.ended === null && number === run.times[lane].length - 1;
        if (span.label) lines.push(["span", span.label]);
        lines.push(["b", STATES[span.state]]);
        lines.push(["span", `${lengthText(span.start, run.unit)} to ${open ? "…" : lengthText(span.end, run.unit)}`]);
        lines.push(["span", `${lengthText(span.end - span.start, run.unit)} ${open ? "so far" : "long"}`]);
        if (span.inferred) lines.push(["em", "inferred, not observed"]);
      } else lines.push(["span", run.outcome(lane, then) || "not there"]);
      if (lane in run.parents) lines.push(["span", `created by ${run.lanes[run.parents[lane]]}`]);
    }
    this.tip.replaceChildren(...lines.map(([tag, text]) => element(tag, "", {}, text)));
    return true;
  }
}
