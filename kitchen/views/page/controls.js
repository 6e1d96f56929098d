// What stands around a picture: the buttons below it, the legend, what stands out, and the form that asks for lanes.

import { element } from "./element.js";
import { CHOICES, STATES, within } from "./film.js";
import { keepKeys } from "./notebook.js";
import { hasAddress, takeImage, takeLink } from "./share.js";
import { MEANINGS } from "./states.js"; // made of Python's own words when the page is built: see kitchen/views/palette.py
import { cookText, doneText } from "./words.js";

const PLAYING_SECONDS = [5, 10, 20, 60]; // that playing the whole film may take

// Makes one of `Kind` of each output of this name in the page, unless there is one: it says so at its root.
export function enliven(name, Kind) {
  for (const root of document.querySelectorAll(`[data-kitchen="${name}"]`)) if (!root.kitchen) new Kind(root);
}

function button(name, sign, says) {
  return element("button", name, { type: "button", title: says, "aria-label": says.replace(/ \(.*/, "") }, sign);
}

const ICONS = {
  play: "M3 1 L13 7 L3 13 Z",
  pause: "M3 1 H6 V13 H3 Z M9 1 H12 V13 H9 Z",
  back: "M2 1 H4 V13 H2 Z M13 1 V13 L5 7 Z",
  forth: "M10 1 H12 V13 H10 Z M1 1 V13 L9 7 Z",
  image: "M1 2 H13 V12 H1 Z M2 3 V11 L5 7 L8 10 L10 8 L12 11 V3 Z",
  link: "M5 9 L9 5 L10 6 L6 10 Z M1 9 L4 6 L5 7 L3 9 L5 11 L7 9 L8 10 L5 13 Z M13 5 L10 8 L9 7 L11 5 L9 3 L7 5 L6 4 L9 1 Z",
};

// Drawn, because many fonts lack these signs.
function icon(name) {
  const make = (tag, attributes) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  };
  const svg = make("svg", { viewBox: "0 0 14 14", width: 14, height: 14, "aria-hidden": "true" });
  svg.append(make("path", { d: ICONS[name], fill: "currentColor", "fill-rule": "evenodd" }));
  return svg;
}

// What a film is called, and how things stand, above the picture.
export class Head {
  constructor() {
    this.name = element("strong", "name");
    this.clock = element("span", "clock");
    this.done = element("span", "done");
    this.cook = element("span", "cpu");
    this.line = element("div", "head", {}, this.name, element("div", "facts", {}, this.clock, this.done, this.cook));
  }

  entitle({ title, runs }) {
    const only = runs.length === 1 ? runs[0] : null;
    const several = runs.length > 1 && !title ? `${runs.length} runs` : "";
    this.name.textContent = [title, only && (only.summary || only.title), several].filter(Boolean).join(" – ");
  }

  // Of one run it says here how things stand at `playhead`; of several, it gives the words for each run's own heading.
  tell({ unit, runs }, playhead) {
    const set = (where, text) => where.textContent === text || (where.textContent = text);
    const say = (run) => {
      const then = within(run, playhead);
      return then < 0 || (run.blank && runs.length > 1) ? ["", ""] : [doneText(run, then), `CPU: ${cookText(run, then, runs.length > 1)}`];
    };
    const [done, cook] = runs.length === 1 ? say(runs[0]) : ["", runs.length ? "" : "waiting for a run to begin"];
    set(this.clock, unit === "s" ? `${playhead.toFixed(3)} s` : `${playhead.toFixed(1)} min`);
    set(this.done, done);
    set(this.cook, cook);
    return runs.length > 1 ? runs.map((run) => say(run).filter(Boolean).join(", ")) : [];
  }
}

// The row of buttons. What they do is the figure's affair: `toggle`, `step`, `zoom`, `fit`, `goTo`, `wake`, `setOffsets`.
export class Controls {
  constructor(figure) {
    this.playButton = button("play", icon("play"), "Play (Space)");
    this.scrub = element("input", "scrub", { type: "range", min: 0, max: 1000, step: 1, "aria-label": "Playhead" });
    this.speed = element("select", "speed", { "aria-label": "How long playing takes", title: "How long playing takes" });
    this.alignBox = element("input", "", { type: "checkbox" });
    this.align = element("label", "align", { title: "Let all runs begin at 0" }, this.alignBox, "side by side");
    this.align.hidden = true;
    const on = (target, kind, react) => {
      target.addEventListener(kind, react);
      return target;
    };
    const click = (target, react) => on(target, "click", react);
    this.bar = element(
      "div",
      "controls",
      {},
      click(button("back", icon("back"), "To the switch before (Arrow left)"), () => figure.step(false)),
      click(this.playButton, () => figure.toggle()),
      click(button("forth", icon("forth"), "To the next switch (Arrow right)"), () => figure.step(true)),
      on(this.scrub, "input", () => figure.goTo((this.scrub.value / 1000) * figure.duration)),
      on(this.speed, "change", () => figure.wake()),
      click(button("out", "−", "Zoom out (-)"), () => figure.zoom(2)),
      click(button("in", "+", "Zoom in (+, or Shift and drag over what you want to see)"), () => figure.zoom(0.5)),
      click(button("fit", "fit", "fit: show everything (0)"), () => figure.fit()),
      click(button("image", icon("image"), "Copy as an image"), () => figure.take(takeImage)),
      ...(hasAddress(figure.root) ? [click(button("link", icon("link"), "Copy a link to this moment"), () => figure.take(takeLink))] : []),
      this.align,
    );
    on(this.alignBox, "change", () => figure.setOffsets());
  }

  // Whether all runs are to begin at 0.
  get aligned() {
    return this.alignBox.checked;
  }

  // How many seconds playing a film of this duration takes.
  lasts(duration) {
    return Number(this.speed.value) || duration;
  }

  // What can be chosen for these runs. A live film's clock is that of its first run: nothing may be moved yet.
  offer({ runs, unit, duration }, live) {
    this.align.hidden = live || runs.length < 2 || (!this.aligned && runs.every((run) => run.offset === 0));
    const asItWas = unit === "s" ? [[0, "as fast as it was"]] : [];
    const choices = [...PLAYING_SECONDS.map((seconds) => [seconds, `in ${seconds} s`]), ...asItWas];
    if (this.speed.options.length === choices.length) return;
    this.speed.replaceChildren(...choices.map(([value, text]) => element("option", "", { value }, text)));
    const watchable = unit === "s" && duration >= 3 && duration <= 60;
    this.speed.value = watchable ? "0" : unit === "s" ? "10" : "20";
  }

  // Where the playhead is: as a part of the whole.
  point(part) {
    const value = String(Math.round(part * 1000));
    if (this.scrub.value !== value) this.scrub.value = value;
  }

  // What the play button does now.
  sign(does) {
    if (this.playButton.getAttribute("aria-label") === does) return;
    this.playButton.setAttribute("aria-label", does);
    this.playButton.title = `${does} (Space)`;
    this.playButton.replaceChildren(icon(does === "Pause" ? "pause" : "play"));
  }
}

// What the colours mean: of the states that occur, and of no others.
export class Legend {
  constructor() {
    const states = MEANINGS.map(([name, meaning]) =>
      element("span", "meaning", {}, element("i", `swatch kitchen-is-${name}`), `${name.toUpperCase()}: ${meaning}`),
    );
    const others = ["paler: inferred, not observed", "✕: over without being done", "● ■ ▲ in the cook's row: whom she serves", "(not all lanes are shown)", "above the areas: lanes that are over, or not there yet"];
    this.list = element("div", "legend", {}, ...states, ...others.map((text) => element("span", "meaning", {}, text)));
  }

  // `plan`: how the film is laid out, once it is.
  explain(film, plan) {
    const seen = new Set(film.runs.flatMap((run) => [...run.seen]));
    if (this.film === film && this.plan === plan && this.seen === seen.size) return;
    [this.film, this.plan, this.seen] = [film, plan, seen.size];
    const shown = [...STATES.keys()].slice(1).map((state) => seen.has(state) || seen.has(state + 8));
    shown.push([...seen].some((what) => what > 8), seen.has(8), plan?.marks, plan?.every > 1, plan?.crowd);
    [...this.list.children].forEach((entry, at) => (entry.hidden = !shown[at]));
  }
}

// What is amiss, in words; pressing one shows where: `show(run, finding)`.
export class Findings {
  constructor(show) {
    this.show = show;
    this.section = element("div", "findings", { role: "group", "aria-label": "What stands out" });
  }

  tell(runs) {
    const entries = runs.flatMap((run) =>
      run.findings.map((finding) => {
        const says = runs.length > 1 && run.title ? `${run.title}: ${finding.text}` : finding.text;
        const words = finding.code ? [says, " ", element("code", "", {}, finding.code)] : [says];
        if (finding.lane === undefined) return element("li", "", {}, ...words);
        const target = keepKeys(element("button", "finding", { type: "button", title: "Show where" }, ...words));
        target.addEventListener("click", () => this.show(run, finding));
        return element("li", "", {}, target);
      }),
    );
    this.section.hidden = !entries.length;
    this.section.replaceChildren(element("strong", "", {}, "What stands out"), element("ul", "", {}, ...entries));
  }
}

// The form that asks for lanes of a crowd; `asked()` is called when it asks for others.
export class Ask {
  constructor(asked) {
    this.choice = element("select", "", { "aria-label": "Which lanes are shown" });
    this.choice.append(...Object.entries(CHOICES).map(([value, text]) => element("option", "", { value }, text)));
    this.filter = element("input", "", { type: "search", "aria-label": "Part of a lane's name", placeholder: "part of a name", size: 14 });
    this.shown = element("output", "");
    this.form = element("div", "ask", { role: "group", "aria-label": "Lanes" }, "Lanes: ", this.choice, " with ", this.filter, this.shown);
    this.form.hidden = true;
    this.choice.addEventListener("change", asked);
    this.filter.addEventListener("input", asked);
  }

  // Where the plan of the picture has room for it, and how many lanes are shown.
  place({ crowd, ask, rows }, runs) {
    this.form.hidden = !crowd;
    this.form.style.top = `${ask + 4}px`;
    if (!crowd) return;
    const all = runs.reduce((sum, run) => sum + run.lanes.length, 0);
    const lanes = rows.filter(({ kind, height }) => kind === "lane" && height).length;
    this.shown.textContent = `${lanes.toLocaleString("en")} of ${all.toLocaleString("en")} shown`;
  }
}
