// The figure that a reader sees: a film in motion while it is being recorded, and played again afterwards.
//
// `Figure` is both. A live view feeds it through anywidget (`render`, below); a saved player finds its film in the page
// (`playSaved`). Nothing in here ever asks the kernel for anything that playing needs.

import {
  CHOICES, Clock, Film, STATES, affairs, chosen, cookText, crowdText, doneText, filmOf, lengthText, neighbour, unpacked, within,
} from "./film.js";
import { Names, Plate, inkOf, isCrowd, layout, paintAxis, paintFrame, rowAt } from "./picture.js";

const LASTS = [5, 10, 20, 60]; // seconds that playing the whole film may take
const LONGEST = 860; // pixels: higher pictures scroll, three runs of a hundred lanes do not
const WINDOW = 620; // pixels of a picture that scrolls
const RIGHT = 30; // pixels right of the picture, where the cook stands aside
const SILENCE = 3; // seconds without a word from the kernel until its clock is taken to stand still

function element(tag, name, attributes = {}, ...children) {
  const made = document.createElement(tag);
  if (name) made.className = `kitchen-${name}`;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function button(name, sign, says) {
  return element("button", name, { type: "button", title: says, "aria-label": says.replace(/ \(.*/, "") }, sign);
}

const ICONS = {
  play: "M3 1 L13 7 L3 13 Z",
  pause: "M3 1 H6 V13 H3 Z M9 1 H12 V13 H9 Z",
  back: "M2 1 H4 V13 H2 Z M13 1 V13 L5 7 Z",
  forth: "M10 1 H12 V13 H10 Z M1 1 V13 L9 7 Z",
};

// Drawn, because many fonts lack these signs.
function icon(name) {
  const make = (tag, attributes) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  };
  const svg = make("svg", { viewBox: "0 0 14 14", width: 14, height: 14, "aria-hidden": "true" });
  svg.append(make("path", { d: ICONS[name], fill: "currentColor" }));
  return svg;
}

// All figures of the page that are still there: what changes for all of them must keep none of them alive.
const figures = new Set();

const listenToThemes = (() => {
  let listening = false;
  const restyle = () => {
    for (const figure of figures) figure.deref() ? figure.deref().restyle() : figures.delete(figure);
  };
  return () => {
    if (listening) return;
    listening = true;
    new MutationObserver(restyle).observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light", "class"] });
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", restyle);
    window.addEventListener("resize", restyle); // also comes when the window moves to a screen of another resolution
  };
})();

export class Figure {
  // `root`: the element to fill. `film`: what there is to show by now.
  constructor(root, film, { live = false } = {}) {
    Object.assign(this, { root, film, frames: 0, playing: false, following: live, playhead: 0 });
    this.clock = new Clock();
    this.missed = 0; // frames in a row that found no size
    this.plate = new Plate();
    this.names = new Names();
    this.words = []; // what to say of each run, where there are several
    this.places = new Map(); // where each cook is drawn: she takes a moment to get from lane to lane
    this.calm = window.matchMedia("(prefers-reduced-motion: reduce)");
    this.build();
    root.kitchen = this;
    root.dataset.phase = live ? "live" : "done";
    this.listen();
    this.show(film);
  }

  // --- what it is made of

  build() {
    this.root.classList.add("kitchen");
    this.root.setAttribute("role", "group");
    this.root.tabIndex = 0;
    this.name = element("strong", "name");
    this.clockText = element("span", "clock");
    this.doneText = element("span", "done");
    this.cookText = element("span", "cpu");
    this.lanes = element("canvas", "lanes", { role: "img" });
    this.axis = element("canvas", "axis", { "aria-hidden": "true" });
    this.choice = element("select", "", { "aria-label": "Which lanes are shown" });
    this.choice.append(...Object.entries(CHOICES).map(([value, text]) => element("option", "", { value }, text)));
    this.filter = element("input", "", { type: "search", "aria-label": "Part of a lane's name", placeholder: "part of a name", size: 14 });
    this.shown = element("output", "");
    this.ask = element("div", "ask", { role: "group", "aria-label": "Lanes" }, "Lanes: ", this.choice, " with ", this.filter, this.shown);
    this.ask.hidden = true;
    this.scroller = element("div", "scroller", {}, this.lanes, this.ask);
    this.tip = element("div", "tip", { role: "tooltip" });
    this.tip.hidden = true;
    this.playButton = button("play", icon("play"), "Play (Space)");
    this.scrub = element("input", "scrub", { type: "range", min: 0, max: 1000, step: 1, "aria-label": "Playhead" });
    this.speed = element("select", "speed", { "aria-label": "How long playing takes", title: "How long playing takes" });
    this.alignBox = element("input", "", { type: "checkbox" });
    this.align = element("label", "align", { title: "Let all runs begin at 0" }, this.alignBox, "side by side");
    this.align.hidden = true;
    this.status = element("p", "status", { "aria-live": "polite" });
    const controls = element(
      "div",
      "controls",
      {},
      button("back", icon("back"), "To the switch before (Arrow left)"),
      this.playButton,
      button("forth", icon("forth"), "To the next switch (Arrow right)"),
      this.scrub,
      this.speed,
      button("out", "−", "Zoom out (-)"),
      button("in", "+", "Zoom in (+)"),
      button("fit", "fit", "Show everything (0)"),
      this.align,
    );
    const facts = element("div", "facts", {}, this.clockText, this.doneText, this.cookText);
    const kept = this.root.querySelectorAll(":scope > style, :scope > script[type='application/json']");
    this.root.replaceChildren(
      ...kept,
      element("div", "head", {}, this.name, facts),
      element("div", "stage", {}, this.scroller, this.axis, this.tip),
      controls,
      (this.legend = legend()),
      (this.findings = element("section", "findings", { "aria-label": "What stands out" })),
      this.status,
    );
    for (const target of [this.root, ...this.root.querySelectorAll("button, input, select")]) {
      target.setAttribute("data-lm-suppress-shortcuts", "true"); // JupyterLab's: it looks at what has the focus only
    }
  }

  listen() {
    const on = (target, kind, react, options) => target.addEventListener(kind, react, options);
    const click = (name, react) => on(this.root.querySelector(`.kitchen-${name}`), "click", react);
    click("play", () => this.toggle());
    click("back", () => this.step(false));
    click("forth", () => this.step(true));
    click("in", () => this.zoom(0.5));
    click("out", () => this.zoom(2));
    click("fit", () => this.fit());
    on(this.scrub, "input", () => this.goTo((this.scrub.value / 1000) * this.duration));
    on(this.speed, "change", () => this.wake());
    on(this.alignBox, "change", () => this.setOffsets());
    on(this.choice, "change", () => this.askFor());
    on(this.filter, "input", () => this.askFor());
    on(this.root, "keydown", (event) => this.key(event));
    on(this.root, "focusout", (event) => this.root.contains(event.relatedTarget) || this.lookAt(null));
    on(this.lanes, "pointermove", (event) => this.hover(event));
    on(this.lanes, "pointerleave", () => this.dragging || this.lookAt(null));
    on(this.scroller, "scroll", () => this.wake());
    for (const canvas of [this.lanes, this.axis]) {
      on(canvas, "pointerdown", (event) => this.drag(event, canvas));
      on(canvas, "wheel", (event) => this.wheel(event), { passive: false });
      on(canvas, "dblclick", () => this.fit());
    }
    this.resized = new ResizeObserver(() => this.wake());
    this.resized.observe(this.root);
    figures.add(new WeakRef(this));
    listenToThemes();
  }

  // Draws no more.
  close() {
    this.resized.disconnect();
    this.playing = false;
    cancelAnimationFrame(this.asked);
    this.closed = true;
  }

  restyle() {
    this.ink = null;
    this.missed = 0;
    this.wake();
  }

  // --- what it shows

  // Shows this film from now on; a playhead that was at the end stays at the end.
  show(film) {
    const [before, last] = [this.film, this.film.duration];
    this.film = film;
    const atEnd = this.playhead >= last || before === film;
    if (!this.following) this.playhead = atEnd ? film.duration : Math.min(this.playhead, film.duration);
    if (before === film) this.fit();
    else if (this.fitted) this.fit(Math.max(film.duration, this.to / 1.02)); // an axis that stays lets one compare
    else this.pan(0);
    this.renew();
    this.wake();
    this.tell();
  }

  // The legend tells of the states that occur, and of no others.
  explain() {
    const seen = new Set(this.film.runs.flatMap((run) => [...run.seen]));
    if (seen.size === this.explained) return;
    this.explained = seen.size;
    const inferred = [...seen].some((what) => what > 8);
    const shown = [...STATES.keys()].slice(1).map((state) => seen.has(state) || seen.has(state + 8));
    shown.push(inferred, seen.has(8), this.plan?.every > 1, this.plan?.crowd);
    [...this.legend.children].forEach((entry, at) => (entry.hidden = !shown[at]));
  }

  // Other lanes of a crowd are shown from now on: those that are chosen, and have been pointed out by a finding.
  askFor() {
    this.pointedOut = null;
    this.lookAt(null);
    this.plan = this.explained = this.picked = null;
    this.plate.key = "";
    this.scroller.scrollTop = 0;
    this.wake();
  }

  // Where everything is. Which lanes of a crowd these are is found out once: while a run goes on, they stay.
  layOut() {
    this.picked ??= new Map();
    this.plan = layout(this.film, (run) => {
      if (!this.picked.get(run)?.size) {
        this.picked.set(run, new Set(chosen(run, this.choice.value, this.filter.value, this.nowOf(run))));
      }
      const lanes = this.picked.get(run);
      return this.pointedOut?.run === run ? new Set([...lanes, this.pointedOut.lane]) : lanes;
    });
    this.ask.hidden = !this.plan.crowd;
    this.ask.style.top = `${this.plan.ask + 4}px`;
    if (!this.plan.crowd) return;
    const all = this.film.runs.reduce((sum, run) => sum + run.lanes.length, 0);
    const lanes = this.plan.rows.filter(({ kind, height }) => kind === "lane" && height).length;
    this.shown.textContent = `${lanes.toLocaleString("en")} of ${all.toLocaleString("en")} shown`;
  }

  // What depends on which runs there are.
  renew() {
    const { runs } = this.film;
    this.plan = this.explained = this.found = this.picked = this.pointedOut = null;
    this.plate.key = "";
    this.places.clear();
    this.lookAt(null);
    const only = runs.length === 1 ? runs[0] : null;
    const several = runs.length > 1 && !this.film.title ? `${runs.length} runs` : "";
    this.name.textContent = [this.film.title, only && (only.summary || only.title), several].filter(Boolean).join(" – ");
    this.standOut();
    const says = `${this.name.textContent}. Space plays, arrow keys step from switch to switch and from lane to lane.`;
    this.root.setAttribute("aria-label", says);
    this.lanes.setAttribute("aria-label", runs.map((run) => run.summary || run.title).join("; ") || "Nothing has begun yet");
    const live = this.root.dataset.phase === "live"; // its clock is that of the first run: nothing may be moved yet
    this.align.hidden = live || runs.length < 2 || (!this.alignBox.checked && runs.every((run) => run.offset === 0));
    const asItWas = this.film.unit === "s" ? [[0, "as fast as it was"]] : [];
    const choices = [...LASTS.map((seconds) => [seconds, `in ${seconds} s`]), ...asItWas];
    if (this.speed.options.length !== choices.length) {
      this.speed.replaceChildren(...choices.map(([value, text]) => element("option", "", { value }, text)));
      const watchable = this.film.unit === "s" && this.duration >= 3 && this.duration <= 60;
      this.speed.value = watchable ? "0" : this.film.unit === "s" ? "10" : "20";
    }
  }

  // What is amiss, in words; pressing one shows where.
  standOut() {
    const { runs } = this.film;
    const entries = runs.flatMap((run) =>
      run.findings.map((finding) => {
        const says = runs.length > 1 && run.title ? `${run.title}: ${finding.text}` : finding.text;
        if (finding.lane === undefined) return element("li", "", {}, says);
        const show = element("button", "finding", { type: "button", title: "Show where", "data-lm-suppress-shortcuts": "true" }, says);
        show.addEventListener("click", () => this.showWhere(run, finding));
        return element("li", "", {}, show);
      }),
    );
    this.findings.hidden = !entries.length;
    this.findings.replaceChildren(element("strong", "", {}, "What stands out"), element("ul", "", {}, ...entries));
  }

  // Zooms to the span of a finding, with some room around it, marks it, and brings its lane into sight.
  showWhere(run, { lane, start, end }) {
    const whole = this.duration * 1.02 || 1;
    const room = Math.max((end - start) / 4, whole * 1e-4);
    this.playing = false;
    [this.from, this.to] = [Math.max(0, run.offset + start - room), Math.min(whole, run.offset + end + room)];
    [this.fitted, this.found] = [false, { run, lane, start, end }];
    this.goTo(run.offset + start);
    this.scroller.scrollIntoView({ block: "nearest" });
    if (isCrowd(this.film)) {
      [this.pointedOut, this.plate.key] = [{ run, lane }, ""];
      this.layOut();
      this.measure();
    }
    const row = this.plan?.rows.find((one) => one.run === run && one.lane === lane);
    if (row) this.walkTo(row);
  }

  // News of the runs, as the kernel sends them; false: something is missing that was sent before.
  receive(news, rows) {
    const size = () => this.film.runs.reduce((sum, run) => sum + run.lanes.length, 0);
    const [runs, known] = [this.film.runs.length, size()];
    if (news.runs.length) this.clock.heard(news.now, performance.now() / 1000); // before the first run it stands at 0
    this.heard = performance.now() / 1000;
    const whole = this.film.receive(news, rows);
    if (this.film.runs.length !== runs) {
      this.renew();
      this.tell();
    } else if (size() !== known) this.grow();
    if (news.over) this.finish("done");
    this.wake();
    return whole;
  }

  // There are more lanes than before: they are laid out anew, and the reader goes on with what she was doing.
  grow() {
    this.explained = null;
    if (!this.plan) return;
    if (this.choice.value !== "slowest") this.picked = null; // the slowest would jump about
    this.layOut();
    this.plate.key = "";
    const { focus } = this;
    const same = (row) => row.run === focus.run && row.kind === focus.kind && (row.kind === "cook" || row.lane === focus.lane);
    if (focus) this.lookAt(this.plan.rows.find(same), this.lookedAt);
  }

  // The recording is over: "done", or "lost" with the kernel. What has come stays, and can be played.
  finish(phase) {
    if (this.root.dataset.phase !== "live") return;
    this.root.dataset.phase = phase;
    for (const run of this.film.runs) run.ended ??= Math.max(run.last, this.film.now - run.offset);
    if (this.following) this.playhead = this.film.duration;
    this.following = false;
    this.renew();
    this.fit();
    if (phase === "lost") this.name.textContent += " (the kernel has gone; this is what had come by then)";
    this.tell();
  }

  get duration() {
    return this.film.duration;
  }

  setOffsets() {
    for (const run of this.film.runs) {
      run.began ??= run.offset;
      run.offset = this.alignBox.checked ? 0 : run.began;
    }
    this.playhead = this.duration;
    this.renew();
    this.fit();
    this.tell();
  }

  // --- moving

  toggle() {
    if (this.following) {
      this.following = false; // paused while it goes on
    } else if (this.playing) {
      this.playing = false;
    } else {
      if (this.playhead >= this.duration) this.playhead = 0;
      [this.playing, this.found] = [true, null];
      this.before = null;
    }
    this.wake();
    this.sign();
    this.tell();
  }

  goTo(time) {
    this.following = this.root.dataset.phase === "live" && time >= this.duration * 0.995;
    this.playhead = Math.max(0, Math.min(time, this.duration));
    if (this.playhead < this.from || this.playhead > this.to) this.pan(this.playhead - (this.to - this.from) / 2 - this.from);
    this.wake();
    this.tell();
  }

  step(forth) {
    this.playing = false;
    this.goTo(neighbour(this.film.turns(), this.playhead, forth) ?? (forth ? this.duration : 0));
  }

  fit(until = this.duration) {
    this.found = null;
    [this.from, this.to] = [0, until * 1.02 || 1];
    this.fitted = true;
    this.wake();
  }

  zoom(factor, around = this.playhead) {
    const whole = this.duration * 1.02 || 1;
    const size = Math.min(whole, Math.max((this.to - this.from) * factor, whole * 1e-6));
    if (size === whole) return this.fit();
    const middle = around < this.from || around > this.to ? (this.from + this.to) / 2 : around;
    const part = (middle - this.from) / (this.to - this.from);
    const from = Math.max(0, Math.min(middle - part * size, whole - size));
    [this.from, this.to, this.fitted] = [from, from + size, false];
    return this.wake();
  }

  pan(by) {
    const size = this.to - this.from;
    const from = Math.max(0, Math.min(this.from + by, Math.max(0, this.duration * 1.02 - size)));
    [this.from, this.to] = [from, from + size];
    this.wake();
  }

  // --- keys and pointer

  key(event) {
    const typing = event.target.matches("select, input:not([type='range'])") || event.ctrlKey || event.metaKey || event.altKey;
    const onButton = event.target.tagName === "BUTTON" && (event.key === " " || event.key === "Enter");
    const doIt = {
      " ": () => this.toggle(),
      ArrowLeft: () => this.step(false),
      ArrowRight: () => this.step(true),
      ArrowUp: () => this.walk(-1),
      ArrowDown: () => this.walk(1),
      Home: () => this.goTo(0),
      End: () => this.goTo(this.duration),
      "+": () => this.zoom(0.5),
      "=": () => this.zoom(0.5),
      "-": () => this.zoom(2),
      0: () => this.fit(),
      Escape: () => (this.focus ? this.lookAt((this.found = null)) : event.target.blur()),
    }[event.key];
    if (!doIt || typing || onButton) return;
    event.preventDefault();
    event.stopPropagation();
    doIt();
  }

  // The reader goes from lane to lane: the tip tells of the span that is at the playhead.
  walk(by) {
    if (!this.plan) return;
    const rows = this.plan.rows.filter((row) => row.height && row.kind !== "heading");
    const at = rows.indexOf(this.focus);
    const row = rows[at < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.max(0, Math.min(rows.length - 1, at + by))];
    if (row) this.walkTo(row);
  }

  walkTo(row) {
    const { top, height } = this.visible;
    if (row.y < top || row.y + row.height > top + height) this.scroller.scrollTop = row.y - height / 2;
    this.visible.top = this.scroller.scrollTop;
    this.walking = true;
    this.lookAt(row, this.playhead);
    this.status.textContent = [...this.tip.children].map((line) => line.textContent).join(", ");
  }

  place(event) {
    const box = this.lanes.getBoundingClientRect();
    const time = this.from + ((event.clientX - box.left - this.gutter) / this.width) * (this.to - this.from);
    return { time, y: event.clientY - box.top, x: event.clientX - box.left };
  }

  hover(event) {
    if (!this.plan) return;
    const { time, x, y } = this.place(event);
    const row = rowAt(this.plan, y);
    this.walking = false;
    this.lookAt(row?.kind === "heading" ? null : row, x < this.gutter ? this.playhead : time);
  }

  drag(down, canvas) {
    if (down.button !== 0 || !this.plan || this.place(down).x < this.gutter) return;
    this.playing = false;
    const scrubTo = (event) => this.goTo(Math.max(0, this.place(event).time));
    this.dragging = true;
    canvas.setPointerCapture(down.pointerId);
    scrubTo(down);
    canvas.onpointermove = scrubTo;
    canvas.onpointerup = canvas.onpointercancel = () => {
      canvas.onpointermove = canvas.onpointerup = canvas.onpointercancel = null;
      this.dragging = false;
    };
  }

  wheel(event) {
    if (event.ctrlKey || event.metaKey) this.zoom(event.deltaY > 0 ? 1.25 : 0.8, this.place(event).time);
    else if (event.shiftKey && !this.fitted) this.pan(Math.sign(event.deltaY || event.deltaX) * 0.1 * (this.to - this.from));
    else return;
    event.preventDefault();
  }

  // Tells of the span on a row at a time: what a pointer or the arrow keys are on. null: of none.
  lookAt(row, time) {
    this.focus = row ?? null;
    this.lookedAt = time;
    this.tip.hidden = !row || !this.fillTip(row, time);
    if (!this.tip.hidden) {
      const x = this.gutter + ((time - this.from) / (this.to - this.from)) * this.width;
      const left = Math.max(0, Math.min(x + 14, this.gutter + this.width + RIGHT - this.tip.offsetWidth));
      const below = row.y + row.height + 6 - this.visible.top;
      const fits = below + this.tip.offsetHeight < this.visible.height + 30;
      this.tip.style.left = `${left}px`;
      this.tip.style.top = `${fits ? below : Math.max(0, row.y - this.visible.top - this.tip.offsetHeight - 6)}px`;
    }
    this.wake();
  }

  // The words of the tip; false when there is nothing to tell.
  fillTip({ kind, run, lane }, time) {
    const then = within(run, time);
    if (then < 0) return false;
    const now = this.nowOf(run);
    const lines = [];
    if (kind === "chart") {
      lines.push(["strong", `of ${run.lanes.length} lanes`], ...crowdText(run, then).map((text) => ["span", text]));
    } else if (kind === "cook") {
      lines.push(["strong", "the cook"], ["span", cookText(run, then)]);
    } else {
      const number = run.find(lane, then);
      const span = run.span(lane, number, now);
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

  nowOf(run) {
    return (this.root.dataset.phase === "live" ? this.livePlayhead() : this.duration) - run.offset;
  }

  // --- frames

  wake() {
    if (!this.asked && !this.closed) this.asked = requestAnimationFrame((stamp) => this.frame(stamp));
  }

  livePlayhead() {
    const local = performance.now() / 1000;
    return this.heard ? this.clock.at(Math.min(local, this.heard + SILENCE)) : 0;
  }

  frame(stamp) {
    this.asked = 0;
    if (stamp - (this.drawn ?? 0) < this.apart()) {
      this.wake();
      return;
    }
    this.drawn = stamp;
    if (!this.root.isConnected || !this.root.offsetWidth) {
      // It wakes up when it has a size again. That is not noticed when it is gone for a moment only, as while JupyterLab
      // changes its theme: so it looks a few times more.
      this.missed += 1;
      if (this.missed < 20) setTimeout(() => this.wake(), 100);
      return;
    }
    this.missed = 0;
    this.move(stamp);
    this.measure();
    this.facts(stamp);
    this.paint();
    this.frames += 1;
    if (this.playing || this.gliding || this.root.dataset.phase === "live") this.wake();
  }

  // The least time between two frames, in milliseconds. Who wants little motion sees the picture move in steps. And a
  // computer with two cores needs them for what is looked at.
  apart() {
    const live = this.root.dataset.phase === "live";
    if (this.calm.matches && (live || this.playing)) return 250;
    return live && (navigator.hardwareConcurrency ?? 4) <= 2 ? (this.plan?.crowd ? 250 : 100) : 0;
  }

  move(stamp) {
    if (this.root.dataset.phase === "live") {
      const now = this.livePlayhead();
      this.film.now = Math.max(this.film.now, this.film.runs.every((run) => run.ended !== null) ? 0 : now);
      if (this.following) this.playhead = Math.max(this.playhead, this.duration);
      if (this.fitted && this.duration > this.to / 1.02) this.fit(Math.max(0.25, this.duration * 1.5));
    }
    if (this.playing) {
      const lasts = Number(this.speed.value) || this.duration;
      const passed = this.before === null ? 0 : Math.min(0.5, (stamp - this.before) / 1000);
      this.before = stamp;
      this.playhead = Math.min(this.duration, this.playhead + (passed / lasts) * this.duration);
      if (this.playhead > this.to) this.pan(this.playhead - this.from - (this.to - this.from) * 0.05);
      if (this.playhead >= this.duration) {
        this.playing = false;
        this.following = this.root.dataset.phase === "live"; // caught up
        this.tell();
      }
    }
  }

  measure() {
    const ratio = window.devicePixelRatio || 1;
    if (!this.plan) this.layOut();
    this.context ??= this.lanes.getContext("2d");
    if (!this.ink || ratio !== this.view?.ratio) {
      this.ink = inkOf(this.root, this.context);
      this.theme = (this.theme ?? 0) + 1;
    }
    const whole = this.scroller.clientWidth;
    this.gutter = Math.round(Math.min(170, Math.max(90, whole * 0.16)));
    this.width = Math.max(100, whole - this.gutter - RIGHT);
    this.visible = { top: this.scroller.scrollTop, height: this.plan.height <= LONGEST ? this.plan.height : WINDOW };
    this.scroller.style.height = `${this.visible.height}px`;
    for (const [canvas, tall] of [[this.lanes, this.plan.height], [this.axis, 30]]) {
      const size = [Math.round(whole * ratio), Math.round(tall * ratio)];
      if (canvas.width !== size[0] || canvas.height !== size[1]) {
        [canvas.width, canvas.height] = size;
        canvas.style.width = `${whole}px`; // the lanes' scroll bar takes its room from both
        canvas.style.height = `${tall}px`;
        this.axisOf = null;
      }
    }
    const { from, to, width, gutter, plan, ink, visible, theme } = this;
    this.view = { from, to, width, gutter, plan, ink, visible, theme, ratio, whole, right: RIGHT };
  }

  paint() {
    this.gliding = false;
    const { film, view, playhead, following } = this;
    this.plate.show(film, view, this.duration);
    this.names.show(view, this.words, this.focus);
    const moment = { playhead, following, found: this.found, glide: (run, x, y) => this.glide(run, x, y) };
    paintFrame(this.context, film, view, this.plate, this.names, moment);
    const axis = [view.from, view.to, view.whole, view.ratio, view.theme, film.unit].join("/");
    if (this.axisOf !== axis) {
      this.axisOf = axis;
      paintAxis(this.axis.getContext("2d"), film, view);
    }
  }

  // The cook on her way to (x, y): along the time axis at once, from lane to lane within a few frames.
  glide(run, x, y) {
    const last = this.places.get(run) ?? y;
    const next = this.calm.matches || Math.abs(y - last) < 0.5 ? y : last + (y - last) * 0.35;
    this.places.set(run, next);
    if (next !== y) this.gliding = true;
    return { x, y: next };
  }

  // The words and figures around the picture: ten times a second while it moves, which is as fast as one can read.
  facts(stamp) {
    const moving = this.playing || this.following;
    if (moving && stamp - (this.said ?? 0) < 100) return;
    this.said = stamp;
    this.explain();
    const { film, playhead } = this;
    const set = (where, text) => where.textContent === text || (where.textContent = text);
    set(this.clockText, film.unit === "s" ? `${playhead.toFixed(3)} s` : `${playhead.toFixed(1)} min`);
    const say = (run) => {
      const then = within(run, playhead);
      return then < 0 ? ["", ""] : [doneText(run, then), `CPU: ${cookText(run, then, film.runs.length > 1)}`];
    };
    const [done, cook] = film.runs.length === 1 ? say(film.runs[0]) : ["", film.runs.length ? "" : "waiting for a run to begin"];
    set(this.doneText, done);
    set(this.cookText, cook);
    this.words = film.runs.length > 1 ? film.runs.map((run) => say(run).filter(Boolean).join(", ")) : [];
    const value = String(Math.round((playhead / (this.duration || 1)) * 1000));
    if (this.scrub.value !== value) this.scrub.value = value;
    this.sign();
    if (this.focus && this.walking && this.lookedAt !== playhead) this.lookAt(this.focus, playhead);
    if (moving) this.tell();
  }

  // What the play button does now.
  sign() {
    const does = this.playing || this.following ? "Pause" : "Play";
    if (this.playButton.getAttribute("aria-label") === does) return;
    this.playButton.setAttribute("aria-label", does);
    this.playButton.title = `${does} (Space)`;
    this.playButton.replaceChildren(icon(does === "Pause" ? "pause" : "play"));
  }

  // The state of affairs as a sentence. A screen reader reads it out when the picture has come to rest.
  tell() {
    this.status.setAttribute("aria-live", this.playing || this.following ? "off" : "polite");
    this.status.textContent = affairs(this.film, this.playhead);
    this.scrub.setAttribute("aria-valuetext", lengthText(this.playhead, this.film.unit));
  }
}

const MEANINGS = {
  running: "RUNNING: has the CPU and uses it",
  ready: "READY: could go on, has not got the CPU",
  waiting: "WAITING: needs no CPU",
  idling: "IDLING: has the CPU and only waits",
  switching: "SWITCHING: the cook turns to another",
};

function legend() {
  const entries = Object.entries(MEANINGS).map(([name, text]) =>
    element("span", "meaning", {}, element("i", `swatch kitchen-is-${name}`), text),
  );
  const others = ["paler: inferred, not observed", "✕: over without being done", "(not all lanes are shown)", "above the areas: lanes that are over, or not there yet"];
  return element("div", "legend", {}, ...entries, ...others.map((text) => element("span", "meaning", {}, text)));
}

// --- in a page: a saved player --------------------------------------------------------------------------------------

// Brings every figure of this name in the page to life whose film stands in it.
export async function playSaved(name) {
  for (const root of document.querySelectorAll(`[data-kitchen="${name}"]`)) {
    const saved = root.querySelector('script[type="application/json"]');
    if (root.kitchen || !saved) continue;
    const film = JSON.parse(saved.textContent);
    const shown = film.packed ? await unpacked(film) : filmOf(film); // a small one is there at once
    if (!root.kitchen) new Figure(root, shown);
  }
}

// --- in JupyterLab: an anywidget ------------------------------------------------------------------------------------

// A live view; or, with a `target`, the courier who brings films to the saved player of that name.
export function render({ model, el }) {
  return model.get("target") ? courier(model, el) : live(model, el);
}

function live(model, el) {
  const root = element("figure", "");
  el.replaceChildren(root);
  const figure = new Figure(root, new Film(model.get("title")), { live: true });
  // A DataView in Jupyter; other front ends hand on what else bytes can be.
  const viewed = (bytes) => (ArrayBuffer.isView(bytes) ? new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) : new DataView(bytes));
  const hear = (news, rows) => figure.receive(news, rows.map(viewed)) || model.send({ kind: "again" });
  model.on("msg:custom", hear);
  model.on("comm:close", () => figure.finish("done"));
  model.on("comm_live_update", () => figure.finish("lost"));
  return () => figure.close();
}

function courier(model, el) {
  const players = () => [...document.querySelectorAll(`[data-kitchen="${model.get("target")}"]`)].filter((root) => root.kitchen);
  const deliver = (patience) => {
    const found = players();
    if (!found.length && patience) {
      requestAnimationFrame(() => deliver(patience - 1)); // in a page that was reloaded, the player may come later
      return;
    }
    const film = () => filmOf(JSON.parse(model.get("film")));
    for (const root of found) root.kitchen.show(film());
    if (found.length) return;
    const root = el.querySelector("figure") ?? element("figure", "");
    el.replaceChildren(root);
    if (root.kitchen) root.kitchen.show(film());
    else new Figure(root, film());
  };
  model.on("change:film", () => deliver(0));
  if (model.get("film")) deliver(120);
}

export default { render };
