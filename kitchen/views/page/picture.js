// How a film is laid out, and how a frame of it is painted: to scale, from the plate and what changes with the playhead.

import { IDLING, RUNNING, within } from "./film.js";
import { cookFigure, fitted, mark } from "./ink.js";
import { Brush } from "./plate.js";
import { ticks, timeText } from "./words.js";

const FAINT = 0.22; // how much of the colour has come where a bar is still to come
const GAP = 10; // between two runs, in pixels like everything here
const FEW_LANES = 12; // lanes: there is room for names in the bars
const MOST_LANES = 1000; // lanes: so many are shown, with a scroll bar
const CROWD_LANES = 300; // lanes: more than that do not fit on one screen; then it is told how many are in which state
const CHART_HEIGHTS = [150, 90, 70]; // how high that is, by the number of runs
const ASK_HEIGHT = 38; // room for the form in which one asks for lanes
const THIN_HEIGHT = 14; // lanes that are not even so high have no room for words: they are painted pixel by pixel
const COOK_HEIGHT = 24;
const FOLD_HEIGHT = 18; // of the row into which a library's tasks are folded: it has a name, however thin lanes are
const HEADING_HEIGHTS = [26, 40, 55]; // of one line; of two in a narrow picture; of three on a phone
const NAME_HEIGHT = 17; // a name that stands above its lane, since there is no room beside it

// Whether there are so many lanes that the picture begins with how many of them are in which state.
export function isCrowd(film) {
  return film.runs.reduce((sum, run) => sum + run.lanes.length, 0) > CROWD_LANES;
}

// How high a lane is, and all of them together, where there is `room` for so many. The more lanes, the more room they take,
// or as much: so a picture that grows never shrinks, and nothing below it jumps up and down.
function lanesIn(number, room, crowd) {
  const high = (lanes) =>
    lanes <= FEW_LANES && !crowd
      ? Math.max(18, Math.min(28, Math.floor(room / lanes)))
      : lanes <= CROWD_LANES
        ? Math.max(2, Math.min(24, Math.floor(room / lanes)))
        : 4;
  let together = 0;
  for (let lanes = 1; lanes <= Math.min(number, CROWD_LANES); lanes += 1) together = Math.max(together, lanes * high(lanes));
  return { height: high(Math.max(1, number)), together };
}

// The rows of the picture from top to bottom, each with its place: headings, lanes, and each run's cook. Of a crowd also
// charts, and of its lanes those that `asked(run)` has; the others are rows of no height, since the cook works on them too.
// `tall`: pixels in which it should find room; where it cannot, it is higher. `narrow`: how many lines a heading needs besides one.
// `above`: whether names stand above their lanes.
export function layout(film, asked = (run) => new Set(run.lanes.keys()), tall = 700, narrow = 0, above = false) {
  const crowd = isCrowd(film);
  const own = (run) => new Set([...run.lanes.keys()].filter((lane) => run.unfolded || !run.folds || !run.asides.has(lane)));
  const shown = new Map(film.runs.map((run) => [run, crowd ? asked(run) : own(run)]));
  const folds = (run) => !crowd && run.folds;
  const number = film.runs.reduce((sum, run) => sum + shown.get(run).size + (folds(run) ? 1 : 0), 0);
  const chart = CHART_HEIGHTS[Math.min(film.runs.length, CHART_HEIGHTS.length) - 1];
  const heading = film.runs.length > 1 ? HEADING_HEIGHTS[narrow] : 0;
  const around = film.runs.length * (COOK_HEIGHT + GAP + heading + (crowd ? chart : 0)) + (crowd ? ASK_HEIGHT : 14);
  const { height, together } = lanesIn(number, Math.max(120, Math.min(crowd ? 400 : 520, tall - around)), crowd);
  const few = number <= FEW_LANES && !crowd;
  const over = above && few ? NAME_HEIGHT : 0;
  const stretches = []; // from where to where each run reaches, without its heading
  const every = Math.ceil(number / MOST_LANES); // above that, lanes are left out evenly: a canvas can be only so high
  const rows = [];
  let ask; // where the form stands, under the first chart
  let y = film.runs.length > 1 ? 4 : 14; // room for the cook's hat
  film.runs.forEach((run, at) => {
    const add = (kind, tall, lane) => {
      if (tall && kind !== "heading") y += over;
      rows.push({ kind, run, lane, y, height: tall });
      y += tall;
    };
    if (heading) add("heading", heading);
    const top = film.runs.length > 1 ? y : 0;
    if (crowd && run.lanes.length) {
      add("chart", chart);
      y += ask === undefined ? ASK_HEIGHT : 6;
      ask ??= y - ASK_HEIGHT;
    }
    let place = 0;
    run.lanes.forEach((_, lane) => add("lane", shown.get(run).has(lane) && place++ % every === 0 ? height : 0, lane));
    if (folds(run)) {
      add("fold", Math.max(height, FOLD_HEIGHT));
      for (const row of rows) if (row.run === run && row.kind === "lane" && !row.height && run.asides.has(row.lane)) row.under = rows.at(-1);
    }
    y += 3;
    add("cook", COOK_HEIGHT, run.lanes.length);
    y += at < film.runs.length - 1 ? GAP : 4;
    stretches.push([top, y]);
  });
  const free = crowd ? 0 : Math.max(0, together - number * height); // below: fewer lanes took as much room
  return { rows, every, stretches, height: Math.max(y + free, 60), lane: height, over, few, marks: few && film.runs.some((run) => run.lanes.length > 1), thin: height < THIN_HEIGHT, crowd, ask };
}

// The row at height `y`, or undefined.
export function rowAt({ rows }, y) {
  return rows.find((row) => y >= row.y && y < row.y + row.height);
}

// One frame: the plate up to the playhead, what is still open, the playhead, and the cook.
export function paintFrame(context, film, view, plate, names, moment) {
  const { plan, ink, width, gutter, ratio, visible } = view;
  const x = (time) => gutter + ((time - view.from) / (view.to - view.from)) * width;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, visible.top, gutter + width + view.right, visible.height);
  context.save();
  context.beginPath();
  context.rect(0, visible.top, gutter + width + view.right, visible.height);
  context.clip();
  const head = Math.max(gutter, Math.min(gutter + width, x(moment.playhead)));
  const written = plate.writing.written;
  copy(context, plate.canvas, view, 0, head - gutter, 1);
  if (written) copy(context, plate.writing.come.canvas, view, 0, head - gutter, 1);
  // Behind the end stand the crosses only.
  if (!moment.following) copy(context, plate.canvas, view, head - gutter, width, moment.playhead < film.duration ? FAINT : 1);
  if (written && !moment.following) copy(context, plate.writing.ahead.canvas, view, head - gutter, width, 1);
  if (moment.found) markFound(context, plate, view, moment.found);
  paintOpen(context, film, view, moment.playhead);
  copy(context, names.canvas, { ...view, gutter: 0 }, 0, gutter + width + view.right, 1);
  const inside = moment.playhead >= view.from && moment.playhead <= view.to;
  if (inside) {
    context.fillStyle = ink.text;
    for (const [top, bottom] of plan.stretches) context.fillRect(head - 0.75, top, 1.5, bottom - top);
    context.beginPath(); // a hand on the time axis
    context.moveTo(head - 6, plan.height);
    context.lineTo(head + 6, plan.height);
    context.lineTo(head, plan.height - 7);
    context.fill();
  }
  for (const { row, places, idle } of cooks(film, view, moment.playhead)) {
    const along = inside ? head : gutter + width;
    for (const place of places) {
      const at = places.length > 1 ? { x: along, y: place } : moment.glide(row.run, along, place);
      cookFigure(context, ink, at.x, at.y, idle);
    }
  }
  context.restore();
}

// The span that a finding is about: in full colour wherever the playhead is, and framed.
function markFound(context, plate, view, { run, lane, start, end }) {
  const row = view.plan.rows.find((one) => one.run === run && one.lane === lane);
  const x = (time) => Math.max(0, Math.min(view.width, ((time + run.offset - view.from) / (view.to - view.from)) * view.width));
  const [left, right] = [x(start), x(end)];
  const there = { ...view, visible: { top: row.y, height: row.height } };
  for (const canvas of [plate.canvas, plate.writing.come.canvas]) copy(context, canvas, there, left, right, 1);
  context.strokeStyle = view.ink.bad;
  context.lineWidth = 2;
  context.strokeRect(view.gutter + left - 1, row.y - 1, right - left + 2, row.height + 2);
}

function copy(context, canvas, { gutter, ratio, visible }, left, right, alpha) {
  if (right - left < 0.5) return;
  const box = [left, visible.top, right - left, visible.height];
  context.globalAlpha = alpha;
  context.drawImage(canvas, ...box.map((side) => side * ratio), gutter + box[0], ...box.slice(1));
  context.globalAlpha = 1;
}

// The spans that are still open, up to now: the page lets them grow by its own clock.
function paintOpen(context, film, view, now) {
  const { plan, ink, width, gutter, visible } = view;
  const scale = width / (view.to - view.from);
  const brush = new Brush(context, ink, plan);
  const isSeen = ({ y, height }) => height && y <= visible.top + visible.height && y + height >= visible.top;
  for (const row of plan.rows) {
    const { kind, run, lane } = row;
    const place = row.under ?? row; // of what is folded, only who holds the cook is seen
    if (kind !== "lane" || !isSeen(place)) continue;
    const number = run.times[lane].length - 1;
    const span = run.span(lane, number, now - run.offset);
    if (!span) continue;
    const holds = span.state === RUNNING || span.state === IDLING;
    const pad = place.height >= 8 ? 1 : 0;
    const left = Math.max(0, (span.start + run.offset - view.from) * scale);
    const right = Math.min(width, (Math.min(span.end + run.offset, now) - view.from) * scale);
    if (right <= left) continue;
    if (holds || !row.under) brush.bar(gutter + left, place.y + pad, right - left, place.height - 2 * pad, span.state, span.inferred);
    if (holds) {
      const cook = plan.rows.find((other) => other.kind === "cook" && other.run === run);
      const tall = cook.height / run.cooks; // nothing stays open behind the end of a run, when one knows how many they were
      brush.bar(gutter + left, cook.y, right - left, tall, span.state, false);
    }
  }
  brush.paint();
}

// The names and headings, on a sheet of their own: text is dear to paint, and it seldom changes.
export class Names {
  constructor() {
    this.canvas = document.createElement("canvas");
    this.context = this.canvas.getContext("2d");
  }

  // `words`: what to say of each run now, at the right of its heading. `focus`: the row that the reader looks at.
  show(view, words, focus) {
    const { plan, ratio, gutter, width, right, theme } = view;
    const open = plan.rows.filter(({ kind, run }) => kind === "fold" && run.unfolded).length;
    const cooks = plan.rows.filter(({ kind }) => kind === "cook").map(({ run }) => run.cooks);
    const key = [view.whole, ratio, theme, focus && plan.rows.indexOf(focus), open, cooks, ...words].join("/");
    if (key === this.key && plan === this.plan) return;
    [this.key, this.plan] = [key, plan];
    this.canvas.width = Math.round((gutter + width + right) * ratio);
    this.canvas.height = Math.round(plan.height * ratio);
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.context.textBaseline = "middle";
    let free = -Infinity; // from where on there is room for a name
    let run = -1;
    for (const row of plan.rows) {
      const middle = row.y + row.height / 2;
      const place = plan.over ? row.y - plan.over / 2 : middle; // of its name
      if (row.kind === "heading") this.heading(row, view, words[(run += 1)] ?? "");
      else if (row.kind === "chart") this.scale(row, view);
      else if (row.kind === "cook") {
        this.name(row.run.cooks > 1 ? `${row.run.cooks} cooks` : "the cook", place, "bold 13px", view);
        this.context.fillStyle = view.ink.faint;
        this.context.fillRect(gutter, row.y - 2 - plan.over, width, 1);
        free = middle + 18;
      } else if (row.kind === "fold") {
        const text = `${row.run.unfolded ? "▾" : "▸"} ${row.run.asides.size} of libraries`;
        if (row === focus) this.focused(row, view, text);
        else this.name(text, place, "12px", view);
        free = middle + Math.max(row.height, 13) - 0.01;
      } else if (row === focus) this.focused(row, view);
      else if (row.height && middle >= free && !(focus && Math.abs(focus.y + focus.height / 2 - middle) < 14)) {
        this.name(row.run.names[row.lane], place, plan.lane < 16 ? "11px" : "13px", view);
        if (plan.marks) mark(this.context, row.lane, gutter - 9, middle, 5);
        free = middle + Math.max(row.height, 13) - 0.01;
      }
    }
  }

  // The name of a row at this height, beside it or above it.
  name(text, place, font, { ink, gutter, width, plan }, colour = ink.text) {
    this.context.font = `${font} ${ink.font}`;
    this.context.fillStyle = colour;
    const room = plan.over ? gutter + width : gutter - (plan.marks ? 24 : 10);
    this.context.fillText(fitted(this.context, text, room), 4, place);
  }

  // The row that the reader looks at has its name, however little room there is.
  focused({ run, lane, y, height }, view, name = run.names[lane]) {
    const { ink, gutter, width, plan: { over } } = view;
    const middle = y + height / 2;
    this.context.fillStyle = ink.text;
    if (over) this.context.fillRect(0, y - over, gutter + width, over);
    else this.context.fillRect(0, middle - 8, gutter - 4, 16);
    this.context.fillRect(gutter, y - 0.5, width, 1);
    this.context.fillRect(gutter, y + height - 0.5, width, 1);
    this.name(name, over ? y - over / 2 : middle, `bold ${view.plan.lane < 16 ? 11 : 13}px`, view, ink.paper);
    if (view.plan.marks && lane !== undefined) mark(this.context, lane, gutter - (over ? 9 : 13), middle, 5);
  }

  // Beside a chart: how many lanes a height stands for.
  scale({ run, y, height }, view) {
    const { ink, gutter, width } = view;
    const top = y + 4;
    for (const part of [0, 0.5, 1]) {
      const number = Math.round(run.lanes.length * part);
      const at = y + height - part * (height - 4);
      this.context.fillStyle = ink.faint;
      this.context.fillRect(gutter - 5, at - 0.5, part === 1 ? width + 5 : 5, 1);
      const text = number.toLocaleString("en") + (part === 1 ? " lanes" : "");
      this.context.font = `12px ${ink.font}`;
      this.context.fillStyle = ink.text;
      this.context.fillText(text, gutter - 9 - this.context.measureText(text).width, Math.max(top, at - (part ? 0 : 4)));
    }
  }

  // What the run is called, its figures, and how things stand: side by side, or in a narrow picture one below the other.
  heading({ run, y, height }, { ink, gutter, width, right }, words) {
    const { context } = this;
    const narrow = height > HEADING_HEIGHTS[0];
    const says = run.summary || run.title;
    const apart = height === HEADING_HEIGHTS[2] && says.startsWith(`${run.title}: `);
    const [name, figures] = apart ? [run.title, says.slice(run.title.length + 2)] : [says, ""];
    context.fillStyle = ink.text;
    context.font = `12px ${ink.font}`;
    const text = fitted(context, words, narrow ? gutter + width + right - 8 : width * 0.45);
    const wide = context.measureText(text).width;
    context.fillText(text, narrow ? 4 : gutter + width - wide, y + (figures ? 43 : narrow ? 29 : 13));
    const room = narrow ? gutter + width + right - 8 : gutter + width - wide - 20;
    context.fillText(fitted(context, figures, room), 4, y + 28);
    context.font = `bold 13px ${ink.font}`;
    context.fillText(fitted(context, name, room), 4, y + 13);
  }
}

// Where each run's cook stands at `time`: at the lane that she works on, or aside, at her own row. Where several cooks work,
// each at hers.
export function cooks(film, { plan }, time) {
  const found = [];
  for (const row of plan.rows) {
    if (row.kind !== "cook" || row.run.offset > time || row.run.blank) continue;
    const then = within(row.run, time);
    const held = row.run.at(then).held.slice(0, row.run.cooks);
    const lanes = held.map((lane) => {
      const at = plan.rows.find((other) => other.run === row.run && other.lane === lane);
      return at.height ? at : (at.under ?? row); // a lane that is not shown, she serves from its fold, or her own row
    });
    const places = (lanes.length ? lanes : [row]).map(({ y, height }) => y + height / 2);
    found.push({ row, places: [...new Set(places)], idle: !lanes.length });
  }
  return found;
}

// The time axis under the lanes.
export function paintAxis(context, film, view) {
  const { ink, width, gutter, ratio, plan } = view;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, gutter + width + view.right, 40);
  context.font = `12px ${ink.font}`;
  context.textBaseline = "top";
  context.fillStyle = ink.faint;
  context.fillRect(gutter, 0, width, 1);
  const { step, at } = ticks(view.from, view.to, width / 80);
  for (const time of at) {
    const x = gutter + ((time - view.from) / (view.to - view.from)) * width;
    context.fillStyle = ink.faint;
    context.fillRect(x, 0, 1, 5);
    context.fillStyle = ink.text;
    const text = timeText(time, step) + (plan.over && time === at[0] ? ` ${film.unit}` : "");
    const wide = context.measureText(text).width;
    context.fillText(text, Math.max(0, Math.min(x - wide / 2, gutter + width + view.right - wide)), 8);
  }
  context.fillStyle = ink.text;
  if (!plan.over) context.fillText(film.unit === "min" ? "minutes" : "seconds", 4, 8);
}
