// The figure that a reader sees: a film in motion while it is being recorded, and played again afterwards.
// Nothing in here ever asks the kernel for anything that playing needs. One class, and so more than 400 lines.

import { Camera } from "./camera.js";
import { Ask, Controls, Findings, Head, Legend } from "./controls.js";
import { element } from "./element.js";
import { Clock, chosen } from "./film.js";
import { followThemes, inkOf, sized } from "./ink.js";
import { keepKeys, keepPlace, lightUp, takePlace } from "./notebook.js";
import { Names, isCrowd, layout, paintAxis, paintFrame } from "./picture.js";
import { Plate } from "./plate.js";
import { Pointer } from "./pointer.js";
import { askedMoment } from "./share.js";
import { affairs, lengthText, neighbour } from "./words.js";

const BESIDES = 330; // pixels of a window that are not for the picture: controls, words, and the notebook's own bars
const LEAST = 300; // pixels that a picture may always take
const SLACK = 80; // pixels: a picture that is only so much higher does not scroll
const AXIS = 30; // pixels
const NARROW_PICTURE = 800; // pixels: in a narrower one, headings have two lines
const PHONE = 500; // pixels: in a narrower one, they have three, and long names stand above their lanes
const BESIDE = 82; // pixels: there is room beside a lane for a name of this width
const ROOM = 30; // pixels right of the picture, where the cook stands aside
const SILENCE = 3; // seconds without a word from the kernel until its clock is taken to stand still

export class Figure {
  // `root`: the element to fill. `film`: what there is to show by now.
  constructor(root, film, { live = false } = {}) {
    Object.assign(this, { root, film, frames: 0, playing: false, following: live, playhead: 0, room: ROOM });
    this.camera = new Camera();
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
    this.resized = new ResizeObserver(() => this.wake());
    this.resized.observe(this.root);
    followThemes(this);
    this.show(film);
    takePlace(root);
    this.settle();
    this.open();
  }

  // At the moment that the page's address asks for, if it does.
  open() {
    const moment = this.root.dataset.kitchen ? askedMoment(this.root) : null;
    if (moment === null) return;
    this.goTo(moment);
    const bring = () => this.root.scrollIntoView({ block: "center" });
    document.readyState === "complete" ? bring() : window.addEventListener("load", bring, { once: true });
  }

  // --- what it is made of

  build() {
    this.root.classList.add("kitchen");
    this.root.setAttribute("role", "group");
    this.root.tabIndex = 0;
    this.head = new Head();
    this.lanes = element("canvas", "lanes", { role: "img" });
    this.axis = element("canvas", "axis", { "aria-hidden": "true" });
    this.ask = new Ask(() => this.askFor());
    this.scroller = element("div", "scroller", {}, this.lanes, this.ask.form);
    this.pointer = new Pointer(this);
    this.controls = new Controls(this);
    this.legend = new Legend();
    this.findings = new Findings((run, finding) => this.showWhere(run, finding));
    this.status = element("p", "status", { "aria-live": "polite" });
    const kept = this.root.querySelectorAll(":scope > script[type='application/json']");
    this.root.replaceChildren(
      ...kept,
      this.head.line,
      element("div", "stage", {}, this.scroller, this.axis, this.pointer.range, this.pointer.tip),
      this.controls.bar,
      this.legend.list,
      this.findings.section,
      this.status,
    );
    for (const target of [this.root, ...this.root.querySelectorAll("button, input, select")]) keepKeys(target);
    this.pointer.listen();
    this.scroller.addEventListener("scroll", () => this.wake());
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

  get isLive() {
    return this.root.dataset.phase === "live";
  }

  get duration() {
    return this.film.duration;
  }

  // --- what it shows

  // Shows this film from now on; a playhead that was at the end stays at the end.
  show(film) {
    const [before, last] = [this.film, this.film.duration];
    this.film = film;
    const atEnd = this.playhead >= last || before === film;
    if (!this.following) this.playhead = atEnd ? film.duration : Math.min(this.playhead, film.duration);
    if (before === film) this.fit();
    else this.camera.reach(film.extent);
    this.found = null;
    this.renew();
    this.wake();
    this.tell();
  }

  // Other lanes of a crowd are shown from now on: those that are chosen, and have been pointed out by a finding.
  askFor() {
    this.pointedOut = null;
    this.pointer.lookAt(null);
    this.plan = this.picked = null;
    this.plate.key = "";
    this.scroller.scrollTop = 0;
    this.wake();
  }

  // Whether this is a phone, and a name is too long to stand beside its lane.
  isCramped() {
    if (this.narrow < 2) return false;
    this.context.font = `13px ${getComputedStyle(this.root).fontFamily}`;
    return this.film.runs.some(({ names }) => names.length <= 12 && names.some((name) => this.context.measureText(name).width > BESIDE));
  }

  // Where everything is. Which lanes of a crowd these are is found out once: while a run goes on, they stay.
  layOut() {
    this.picked ??= new Map();
    this.plan = layout(this.film, (run) => {
      if (!this.picked.get(run)?.size) {
        const { choice, filter } = this.ask;
        this.picked.set(run, new Set(chosen(run, choice.value, filter.value, this.nowOf(run))));
      }
      const lanes = this.picked.get(run);
      return this.pointedOut?.run === run ? new Set([...lanes, this.pointedOut.lane]) : lanes;
    }, this.tall, this.narrow, this.isCramped());
    this.ask.place(this.plan, this.film.runs);
    this.pointer.found(this.plan.rows);
  }

  // What depends on which runs there are.
  renew() {
    const { runs } = this.film;
    this.plan = this.found = this.picked = this.pointedOut = null;
    this.plate.key = "";
    this.places.clear();
    this.pointer.lookAt(null);
    this.head.entitle(this.film);
    this.findings.tell(runs);
    const says = `${this.head.name.textContent}. Space plays, arrow keys step from switch to switch and from lane to lane.`;
    this.root.setAttribute("aria-label", says);
    this.lanes.setAttribute("aria-label", runs.map((run) => run.summary || run.title).join("; ") || "Nothing has begun yet");
    this.controls.offer(this.film, this.isLive);
  }

  // Zooms to the span of a finding, marks it, and brings its lane into sight. Its line of code is lit up in the cell.
  showWhere(run, { lane, start, end, line, code }) {
    lightUp(this.root, line, code);
    this.playing = false;
    this.camera.showPiece(run.offset + start, run.offset + end, this.duration);
    this.found = { run, lane, start, end };
    this.goTo(run.offset + start);
    this.scroller.scrollIntoView({ block: "nearest" });
    if (isCrowd(this.film)) {
      [this.pointedOut, this.plate.key] = [{ run, lane }, ""];
      this.layOut();
      this.measure();
    }
    const row = this.plan?.rows.find((one) => one.run === run && one.lane === lane);
    if (row) this.pointer.walkTo(row);
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
    if (!this.plan) return;
    if (this.ask.choice.value !== "slowest") this.picked = null; // the slowest would jump about
    this.layOut();
    this.plate.key = "";
  }

  // The recording is over: "done", or "lost" with the kernel. What has come stays, and can be played.
  finish(phase) {
    if (!this.isLive) return;
    this.settle();
    keepPlace(this.root); // with the room that a live view has for what is still to come
    this.root.dataset.phase = phase;
    for (const run of this.film.runs) run.ended ??= Math.max(run.last, this.film.now - run.offset);
    if (this.following) this.playhead = this.film.duration;
    this.following = false;
    this.renew();
    this.fit();
    this.settle();
    keepPlace(this.root);
    if (phase === "lost") this.head.name.textContent += " (the kernel has gone; this is what had come by then)";
    this.tell();
  }

  setOffsets() {
    for (const run of this.film.runs) {
      run.began ??= run.offset;
      run.offset = this.controls.aligned ? 0 : run.began;
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
    this.following = this.isLive && time >= this.duration * 0.995;
    this.playhead = Math.max(0, Math.min(time, this.duration));
    this.camera.bring(this.playhead, this.film.extent);
    this.wake();
    this.tell();
  }

  step(forth) {
    this.playing = false;
    this.goTo(neighbour(this.film.turns(), this.playhead, forth) ?? (forth ? this.duration : 0));
  }

  fit() {
    this.found = null;
    this.camera.fit(this.film.extent);
    this.wake();
  }

  zoom(factor, around = this.playhead) {
    this.camera.zoom(factor, around, this.film.extent);
    if (this.camera.fitted) this.found = null;
    this.wake();
  }

  look(from, to) {
    this.camera.show(from, to, this.film.extent);
    this.wake();
  }

  pan(by) {
    this.camera.pan(by, this.film.extent);
    this.wake();
  }

  // --- frames

  wake() {
    if (!this.asked && !this.closed) this.asked = requestAnimationFrame((stamp) => this.frame(stamp));
  }

  nowOf(run) {
    return (this.isLive ? this.liveTime() : this.duration) - run.offset;
  }

  liveTime() {
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
    if (this.playing || this.gliding || this.isLive) this.wake();
  }

  // The least time between two frames, in milliseconds. Who wants little motion sees the picture move in steps. And a
  // computer with two cores needs them for what is looked at.
  apart() {
    if (this.calm.matches && (this.isLive || this.playing)) return 250;
    return this.isLive && (navigator.hardwareConcurrency ?? 4) <= 2 ? (this.plan?.crowd ? 250 : 100) : 0;
  }

  move(stamp) {
    if (this.isLive) {
      const now = this.liveTime();
      this.film.now = Math.max(this.film.now, this.film.runs.every((run) => run.ended !== null) ? 0 : now);
      if (this.following) this.playhead = Math.max(this.playhead, this.duration);
      this.camera.grow(this.duration);
    }
    if (!this.playing) return;
    const passed = this.before === null ? 0 : Math.min(0.5, (stamp - this.before) / 1000);
    this.before = stamp;
    this.playhead = Math.min(this.duration, this.playhead + (passed / this.controls.lasts(this.duration)) * this.duration);
    this.camera.follow(this.playhead, this.film.extent);
    if (this.playhead >= this.duration) {
      this.playing = false;
      this.following = this.isLive; // caught up
      this.tell();
    }
  }

  // Is as high as it will be, before anybody sees it.
  settle() {
    if (!this.root.isConnected || !this.root.offsetWidth) return;
    this.measure();
    this.facts(performance.now());
  }

  measure() {
    const ratio = window.devicePixelRatio || 1;
    const tall = Math.max(LEAST, window.innerHeight - BESIDES);
    const narrow = [NARROW_PICTURE, PHONE].filter((width) => this.scroller.clientWidth < width).length;
    if (tall !== this.tall || narrow !== this.narrow) [this.tall, this.narrow, this.plan, this.plate.key] = [tall, narrow, null, ""];
    this.context ??= this.lanes.getContext("2d");
    if (!this.plan) this.layOut();
    if (!this.ink || ratio !== this.view?.ratio) {
      this.ink = inkOf(this.root, this.context);
      this.theme = (this.theme ?? 0) + 1;
    }
    const whole = this.scroller.clientWidth;
    if (this.view && whole !== this.view.whole) this.root.style.minHeight = "";
    this.gutter = this.plan.over ? 22 : Math.round(Math.min(170, Math.max(this.plan.marks ? 106 : 90, whole * 0.16)));
    this.width = Math.max(100, whole - this.gutter - ROOM);
    this.visible = { top: this.scroller.scrollTop, height: Math.min(this.plan.height, tall + SLACK) };
    this.scroller.style.height = `${this.visible.height}px`;
    for (const [canvas, tall] of [[this.lanes, this.plan.height], [this.axis, AXIS]]) {
      if (sized(canvas, whole, tall, ratio)) this.axisOf = null;
    }
    const { width, gutter, plan, ink, visible, theme, camera: { from, to } } = this;
    this.view = { from, to, width, gutter, plan, ink, visible, theme, ratio, whole, right: ROOM };
  }

  paint() {
    this.gliding = false;
    const { film, view, playhead, following } = this;
    this.plate.show(film, view, this.duration);
    this.names.show(view, this.words, this.pointer.focus);
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

  // Has `way` take something along, and says in words what became of it.
  async take(way) {
    this.status.textContent = await way(this);
  }

  // --- words

  // The words and figures around the picture: ten times a second while it moves, which is as fast as one can read.
  facts(stamp) {
    const moving = this.playing || this.following;
    if (moving && stamp - (this.said ?? 0) < 100) return;
    this.said = stamp;
    const { film, playhead } = this;
    this.legend.explain(film, this.plan);
    this.words = this.head.tell(film, playhead);
    this.controls.point(playhead / (this.duration || 1));
    this.sign();
    this.pointer.moved(playhead);
    if (moving) this.tell();
  }

  sign() {
    this.controls.sign(this.playing || this.following ? "Pause" : "Play");
  }

  // The state of affairs as a sentence. A screen reader reads it out when the picture has come to rest.
  tell() {
    this.status.setAttribute("aria-live", this.playing || this.following ? "off" : "polite");
    this.status.textContent = affairs(this.film, this.playhead);
    this.controls.scrub.setAttribute("aria-valuetext", lengthText(this.playhead, this.film.unit));
  }
}
