// How a film is laid out and painted on a canvas. Everything is painted to scale; what is thinner than a pixel is mixed.

import { IDLING, OVER, READY, RUNNING, SWITCHING, WAITING, paintLane, timeText, ticks, within } from "./film.js";

const GAP = 10; // between two runs, in pixels like everything here
const FEW = 12; // lanes: there is room for names in the bars
const MOST = 1000; // lanes: so many are shown, with a scroll bar
const MANY = 300; // lanes: more than that do not fit on one screen; then it is told how many are in which state
const CHARTS = [150, 90, 70]; // how high that is, by the number of runs
const ASK = 38; // room for the form in which one asks for lanes
const THIN = 14; // lanes that are not even so high have no room for words: they are painted pixel by pixel
const BAR = 3; // pixels: what is narrower in the cook's row is summed up, pixel by pixel
const COOK = 24;
const HEADING = 26;

// Whether there are so many lanes that the picture begins with how many of them are in which state.
export function isCrowd(film) {
  return film.runs.reduce((sum, run) => sum + run.lanes.length, 0) > MANY;
}

// The rows of the picture from top to bottom, each with its place: headings, lanes, and each run's cook. Of a crowd also
// charts, and of its lanes those that `asked(run)` has; the others are rows of no height, since the cook works on them too.
export function layout(film, asked = (run) => new Set(run.lanes.keys())) {
  const crowd = isCrowd(film);
  const shown = new Map(film.runs.map((run) => [run, crowd ? asked(run) : new Set(run.lanes.keys())]));
  const number = [...shown.values()].reduce((sum, lanes) => sum + lanes.size, 0);
  const room = crowd ? 400 : 520;
  const height = number <= FEW && !crowd ? 28 : number <= MANY ? Math.max(2, Math.min(24, Math.floor(room / number))) : 4;
  const stretches = []; // from where to where each run reaches, without its heading
  const every = Math.ceil(number / MOST); // above that, lanes are left out evenly: a canvas can be only so high
  const rows = [];
  let ask; // where the form stands, under the first chart
  let y = film.runs.length > 1 ? 4 : 14; // room for the cook's hat
  film.runs.forEach((run, at) => {
    const add = (kind, tall, lane) => {
      rows.push({ kind, run, lane, y, height: tall });
      y += tall;
    };
    if (film.runs.length > 1) add("heading", HEADING);
    const top = film.runs.length > 1 ? y : 0;
    if (crowd && run.lanes.length) {
      add("chart", CHARTS[Math.min(film.runs.length, CHARTS.length) - 1]);
      y += ask === undefined ? ASK : 6;
      ask ??= y - ASK;
    }
    let place = 0;
    run.lanes.forEach((_, lane) => add("lane", shown.get(run).has(lane) && place++ % every === 0 ? height : 0, lane));
    y += 3;
    add("cook", COOK, run.lanes.length);
    y += at < film.runs.length - 1 ? GAP : 4;
    stretches.push([top, y]);
  });
  const few = number <= FEW && !crowd;
  return { rows, every, stretches, height: Math.max(y, 60), lane: height, few, thin: height < THIN, crowd, ask };
}

// The row at height `y`, or undefined.
export function rowAt({ rows }, y) {
  return rows.find((row) => y >= row.y && y < row.y + row.height);
}

// The colours and the font that the page's style sheet gives to this figure, and the patterns made from them.
export function inkOf(root, context) {
  const style = getComputedStyle(root);
  const colour = (name) => style.getPropertyValue(`--kitchen-${name}`).trim();
  const names = { [RUNNING]: "running", [READY]: "ready", [WAITING]: "waiting", [IDLING]: "idling", [SWITCHING]: "switching" };
  const ink = { font: style.fontFamily, text: colour("text"), faint: colour("faint"), paper: colour("paper"), focus: colour("focus"), on: colour("on"), bad: colour("bad") };
  Object.assign(ink, { flat: {}, pattern: {}, pixels: {}, flatPixel: {} });
  for (const [state, name] of Object.entries(names)) {
    const tile = tileOf(Number(state), colour(name), colour(`${name}-pattern`));
    const { data } = tile.getContext("2d").getImageData(0, 0, tile.width, tile.width);
    ink.flat[state] = colour(name);
    ink.pattern[state] = context.createPattern(tile, "repeat");
    ink.pattern[state].setTransform?.(new DOMMatrix().scale(8 / tile.width));
    ink.pixels[state] = new Uint32Array(data.buffer);
    ink.flatPixel[state] = tileOf(0, colour(name), "").getContext("2d").getImageData(0, 0, 1, 1).data;
    ink.tile = tile.width;
  }
  return ink;
}

// A little piece of a state's pattern, 8 pixels square; null for a state that has none.
function tileOf(state, colour, over) {
  const ratio = window.devicePixelRatio || 1;
  const tile = document.createElement("canvas");
  tile.width = tile.height = Math.round(8 * ratio);
  const ink = tile.getContext("2d", { willReadFrequently: true });
  ink.scale(tile.width / 8, tile.height / 8);
  ink.fillStyle = colour;
  ink.fillRect(0, 0, 8, 8);
  ink.fillStyle = ink.strokeStyle = over;
  if (state === WAITING) for (const [x, y] of [[1, 1], [5, 5]]) ink.fillRect(x, y, 1.4, 1.4);
  if (state === READY || state === IDLING) {
    ink.lineWidth = state === READY ? 1.6 : 1;
    ink.beginPath();
    for (const shift of [-8, 0, 8]) {
      ink.moveTo(shift - 1, 9);
      ink.lineTo(shift + 9, -1);
      if (state === IDLING) {
        ink.moveTo(shift - 1, -1);
        ink.lineTo(shift + 9, 9);
      }
    }
    ink.stroke();
  }
  return tile;
}

// Paints bars, collected by style, so that the canvas changes its style a dozen times and not a hundred thousand times.
class Brush {
  constructor(context, ink, plan) {
    Object.assign(this, { context, ink, plan, lots: new Map() });
  }

  bar(x, y, width, height, state, inferred, share = 1) {
    const patterned = width >= 3 && height >= 4;
    const alpha = (inferred ? 0.55 : 1) * (share < 1 ? Math.max(0.08, Math.round(share * 8) / 8) : 1);
    const key = `${state}/${patterned}/${alpha}`;
    let lot = this.lots.get(key);
    if (!lot) this.lots.set(key, (lot = { state, patterned, alpha, boxes: [] }));
    lot.boxes.push(x, y, this.plan.few && width > 4 ? width - 1 : width, height);
  }

  paint() {
    for (const { state, patterned, alpha, boxes } of this.lots.values()) {
      this.context.globalAlpha = alpha;
      this.context.fillStyle = (patterned ? this.ink.pattern : this.ink.flat)[state];
      for (let at = 0; at < boxes.length; at += 4) {
        this.context.fillRect(boxes[at], boxes[at + 1], boxes[at + 2], boxes[at + 3]);
      }
    }
    this.context.globalAlpha = 1;
    this.lots.clear();
  }
}

const writable = new Set([RUNNING, WAITING, IDLING]);

// The film on a plate of its own: painted once, added to while it grows, and laid under every frame.
export class Plate {
  constructor() {
    this.canvas = document.createElement("canvas");
    this.context = this.canvas.getContext("2d");
    this.key = "";
  }

  // Makes the plate show `view` ({from, to, width, ratio, ink, plan}); `now` is the film's time.
  show(film, view, now) {
    const { from, to, width, ratio, plan } = view;
    const key = [from, to, width, ratio, plan.height, view.theme].join("/");
    if (key !== this.key) {
      this.key = key;
      this.canvas.width = Math.round(width * ratio);
      this.canvas.height = Math.round(plan.height * ratio);
      this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
      this.painted = new Map();
      this.cooks = new Map();
      this.charts = new Map();
    }
    const brush = new Brush(this.context, view.ink, plan);
    const words = [];
    for (const row of plan.rows) if (row.kind === "lane") this.addLane(row, view, brush, words);
    for (const row of plan.rows) if (row.kind === "chart") this.paintChart(row, view, now - row.run.offset);
    for (const row of plan.rows) if (row.kind === "cook") this.addTurning(row, view);
    brush.paint();
    for (const row of plan.rows) if (row.kind === "cook") this.paintCook(row, view);
    for (const word of words) write(this.context, view.ink, ...word);
  }

  // How many lanes are in each state, one area on the other: in each pixel the mean. What is there at all is seen, if only as
  // a line: a single lane that RUNS among ten thousand is what it is all about.
  paintChart(row, view, now) {
    const { run, y, height } = row;
    const { from, to, width, ratio, ink } = view;
    const columns = Math.ceil(width * ratio);
    const size = (to - from) / (width * ratio);
    const known = `${run.rows}/${run.ended ?? Math.floor(now / size)}`;
    if (this.charts.get(run) === known) return;
    this.charts.set(run, known);
    const { context } = this;
    context.clearRect(0, y, width, height);
    const means = run.meanCounts(from - run.offset, size, columns, now);
    const least = 1 / ratio;
    let below = new Float64Array(columns).fill(y + height);
    for (const state of [RUNNING, READY, WAITING, IDLING]) {
      if (!means[state].some(Boolean)) continue;
      const above = below.map((bottom, column) => {
        const mean = means[state][column];
        return mean ? bottom - Math.max(least, (mean / run.lanes.length) * (height - 4)) : bottom;
      });
      context.fillStyle = ink.pattern[state];
      context.beginPath();
      above.forEach((top, column) => {
        context.lineTo(column / ratio, top);
        context.lineTo((column + 1) / ratio, top);
      });
      below.toReversed().forEach((bottom, back) => {
        context.lineTo((columns - back) / ratio, bottom);
        context.lineTo((columns - back - 1) / ratio, bottom);
      });
      context.fill();
      below = above;
    }
  }

  // The spans of a lane that have ended since the last time, and what they add to the cook's own row.
  addLane(row, view, brush, words) {
    const { run, lane, y, height } = row;
    const cook = this.cookOf(run, view);
    const pad = height >= 8 ? 1 : 0;
    const isNew = this.newSpans(row, view, (x, width, state, inferred, number, share) => {
      if (height && !view.plan.thin) brush.bar(x, y + pad, width, height - 2 * pad, state, inferred, share);
      if (state === RUNNING || state === IDLING) cook.add(x, width, state, share, lane);
      if (height && number >= 0 && !view.plan.thin && width > 24 && writable.has(state)) {
        words.push([x, y, width, height, run.span(lane, number, run.last).label, state]);
      }
      if (number >= 0 && view.plan.few && width > 24 && (state === RUNNING || state === IDLING)) {
        cook.words.push([x, width, run.names[lane], state]);
      }
    });
    if (isNew && height && view.plan.thin) this.rasterLane(row, view, pad);
    const last = run.times[lane].length - 1;
    if (isNew && height && run.state(lane, last) === OVER && run.outcome(lane, Infinity) !== "done") this.cross(row, view, last);
  }

  // A cross where a lane was over without being done.
  cross({ run, lane, y, height }, { from, to, width, ink }, last) {
    const x = ((run.times[lane][last] + run.offset - from) / (to - from)) * width;
    const size = Math.min(4, height / 2);
    this.context.strokeStyle = ink.bad;
    this.context.lineWidth = height < 8 ? 1.5 : 2.5;
    this.context.beginPath();
    for (const side of [1, -1]) {
      this.context.moveTo(x + 2, y + height / 2 - side * size);
      this.context.lineTo(x + 2 + 2 * size, y + height / 2 + side * size);
    }
    this.context.stroke();
  }

  // A thin lane, pixel by pixel: however many spans there are, it takes the same time.
  rasterLane({ run, lane, y, height }, { from, to, width, ratio, ink }, pad) {
    const columns = this.canvas.width;
    const top = Math.round((y + pad) * ratio);
    const tall = Math.max(1, Math.round((height - 2 * pad) * ratio));
    const mixed = (this.mixed ??= new Mixed()).clear(columns, tall, ink);
    const seen = { from: from - run.offset, scale: (width * ratio) / (to - from), width: columns, now: run.last };
    paintLane(run, lane, { ...seen, closed: run.times[lane].length - 1 }, (...bar) => mixed.add(...bar));
    this.context.putImageData(mixed.image(top), 0, top);
  }

  // The time that the cook took to turn from one dish to another is on her own row only.
  addTurning(row, view) {
    const cook = this.cookOf(row.run, view);
    this.newSpans(row, view, (x, width, state, _, number, share) => cook.add(x, width, state, share, -1));
  }

  newSpans(row, view, paint) {
    const { run, lane } = row;
    const closed = run.times[lane].length - 1;
    const first = this.painted.get(row) ?? 0;
    if (closed <= first) return false;
    this.painted.set(row, closed);
    const scale = view.width / (view.to - view.from);
    paintLane(run, lane, { from: view.from - run.offset, scale, width: view.width, now: run.last, first, closed }, paint);
    return true;
  }

  cookOf(run, { width }) {
    if (!this.cooks.has(run)) this.cooks.set(run, new CookRow(width));
    return this.cooks.get(run);
  }

  // The cook's row: in each pixel as high as the part of the time in which she had something in hand.
  paintCook({ run, y, height }, view) {
    const cook = this.cooks.get(run);
    if (!cook?.changed) return;
    cook.changed = false;
    const { context } = this;
    context.clearRect(0, y, view.width, height);
    const bars = cook.bars.toSorted((one, other) => one[0] - other[0]);
    bars.forEach(([x, width, state, lane], at) => {
      const [left, right] = [Math.floor(x * view.ratio) / view.ratio, Math.ceil((x + width) * view.ratio) / view.ratio];
      const seam = view.plan.few && width > 5 && bars[at + 1]?.[3] !== lane ? 1.5 : 0; // where she turns to another dish
      context.fillStyle = view.ink.pattern[state];
      context.fillRect(left, y, right - left - seam, height);
    });
    for (const state of [RUNNING, IDLING, SWITCHING]) {
      context.fillStyle = view.ink.pattern[state];
      cook.runs(state, (x, width, low, high) => context.fillRect(x, y + height * (1 - high), width, height * (high - low)));
    }
    // Where several work at once, as processes do, nobody's name is to stand on another's.
    const alone = ([x, width]) => bars.filter(([left, wide]) => Math.min(left + wide, x + width) - Math.max(left, x) > BAR).length < 2;
    for (const [x, width, text, state] of cook.words.filter(alone)) write(context, view.ink, x, y, width, height, text, state);
  }
}

// One row of pixels: what covers each, and how much of it.
class Mixed {
  clear(columns, tall, ink) {
    this.ink = ink;
    if (this.columns !== columns || this.picture.height !== tall) {
      this.columns = columns;
      this.parts = new Float32Array(columns * 4); // red, green and blue, each times alpha; alpha
      this.whole = new Uint8Array(columns); // the state that covers all of the pixel, + 8 if inferred
      this.mixed = new Uint32Array(columns);
      this.picture = new ImageData(columns, tall);
      this.pixels = new Uint32Array(this.picture.data.buffer);
    }
    this.parts.fill(0);
    this.whole.fill(0);
    return this;
  }

  add(x, width, state, inferred, number, part) {
    const [red, green, blue] = this.ink.flatPixel[state];
    const end = Math.min(x + width, this.columns);
    for (let column = Math.floor(x); column < end; column += 1) {
      const share = part * (Math.min(end, column + 1) - Math.max(x, column));
      if (share > 0.999) this.whole[column] = state + (inferred ? 8 : 0);
      const alpha = share * (inferred ? 0.55 : 1);
      const at = column * 4;
      this.parts[at] += red * alpha;
      this.parts[at + 1] += green * alpha;
      this.parts[at + 2] += blue * alpha;
      this.parts[at + 3] += alpha;
    }
  }

  // As many rows of these pixels as the lane is high, the first `top` pixels down the plate: there the patterns begin.
  image(top) {
    const { columns, parts, whole, mixed, pixels, ink } = this;
    for (let column = 0, at = 0; column < columns; column += 1, at += 4) {
      const alpha = parts[at + 3];
      const [red, green, blue] = [parts[at] / alpha, parts[at + 1] / alpha, parts[at + 2] / alpha];
      mixed[column] = alpha && !whole[column] ? (Math.min(255, alpha * 255) << 24) | (blue << 16) | (green << 8) | red : 0;
    }
    for (let at = 0, row = top; at < pixels.length; row += 1) {
      const line = (row % ink.tile) * ink.tile;
      for (let column = 0; column < columns; column += 1, at += 1) {
        const what = whole[column];
        if (!what) pixels[at] = mixed[column];
        else {
          const pixel = ink.pixels[what & 7][line + (column % ink.tile)];
          pixels[at] = what & 8 ? (pixel & 0xffffff) | 0x8c000000 : pixel;
        }
      }
    }
    return this.picture;
  }
}

// A cook's own row: bars, and for what is thinner than a pixel which part of the pixel's time is spent in which state.
class CookRow {
  constructor(width) {
    this.width = Math.ceil(width);
    this.of = { [RUNNING]: new Float32Array(this.width + 1), [IDLING]: new Float32Array(this.width + 1), [SWITCHING]: new Float32Array(this.width + 1) };
    this.bars = [];
    this.words = [];
    this.changed = true;
  }

  add(x, width, state, share, lane) {
    if (width >= BAR) this.bars.push([x, width, state, lane]);
    else {
      const end = Math.min(x + width, this.width);
      for (let pixel = Math.floor(x); pixel < end; pixel += 1) {
        this.of[state][pixel] += share * (Math.min(end, pixel + 1) - Math.max(x, pixel));
      }
    }
    this.changed = true;
  }

  // `paint(x, width, low, high)` for each stretch of pixels in which the share of `state`, on top of the others', stays.
  runs(state, paint) {
    let start = 0;
    let [before, until] = [0, 0];
    for (let pixel = 0; pixel <= this.width; pixel += 1) {
      const low = state === RUNNING ? 0 : this.of[RUNNING][pixel] + (state === SWITCHING ? this.of[IDLING][pixel] : 0);
      const high = Math.min(1, low + this.of[state][pixel]);
      if (Math.abs(low - before) > 0.01 || Math.abs(high - until) > 0.01 || pixel === this.width) {
        if (until > before) paint(start, pixel - start, before, until);
        [start, before, until] = [pixel, low, high];
      }
    }
  }
}

function write(context, ink, x, y, width, height, text, state) {
  if (!text) return;
  context.font = `12px ${ink.font}`;
  const wide = context.measureText(text).width;
  if (wide + 8 > width) return;
  const [left, middle] = [x + width / 2 - wide / 2, y + height / 2];
  const dark = state === RUNNING || state === SWITCHING;
  if (!dark) {
    context.fillStyle = ink.flat[state];
    context.fillRect(left - 3, middle - 8, wide + 6, 16);
  }
  context.fillStyle = dark ? ink.on : state === WAITING ? ink.text : "#000";
  context.textBaseline = "middle";
  context.fillText(text, left, middle + 0.5);
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
  copy(context, plate, view, 0, head - gutter, 1);
  // Behind the end stand the crosses only.
  if (!moment.following) copy(context, plate, view, head - gutter, width, moment.playhead < film.duration ? 0.22 : 1);
  if (moment.found) markFound(context, plate, view, moment.found);
  paintOpen(context, film, view, moment.playhead);
  copy(context, names, { ...view, gutter: 0 }, 0, gutter + width + view.right, 1);
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
  for (const { row, place, idle } of cooks(film, view, moment.playhead)) {
    const at = moment.glide(row.run, inside ? head : gutter + width, place);
    cookFigure(context, ink, at.x, at.y, idle);
  }
  context.restore();
}

// The span that a finding is about: in full colour wherever the playhead is, and framed.
function markFound(context, plate, view, { run, lane, start, end }) {
  const row = view.plan.rows.find((one) => one.run === run && one.lane === lane);
  const x = (time) => Math.max(0, Math.min(view.width, ((time + run.offset - view.from) / (view.to - view.from)) * view.width));
  const [left, right] = [x(start), x(end)];
  copy(context, plate, { ...view, visible: { top: row.y, height: row.height } }, left, right, 1);
  context.strokeStyle = view.ink.bad;
  context.lineWidth = 2;
  context.strokeRect(view.gutter + left - 1, row.y - 1, right - left + 2, row.height + 2);
}

function copy(context, plate, { gutter, ratio, visible }, left, right, alpha) {
  if (right - left < 0.5) return;
  const box = [left, visible.top, right - left, visible.height];
  context.globalAlpha = alpha;
  context.drawImage(plate.canvas, ...box.map((side) => side * ratio), gutter + box[0], ...box.slice(1));
  context.globalAlpha = 1;
}

// The spans that are still open, up to now: the page lets them grow by its own clock.
function paintOpen(context, film, view, now) {
  const { plan, ink, width, gutter, visible } = view;
  const scale = width / (view.to - view.from);
  const brush = new Brush(context, ink, plan);
  for (const { kind, run, lane, y, height } of plan.rows) {
    if (kind !== "lane" || !height || y > visible.top + visible.height || y + height < visible.top) continue;
    const number = run.times[lane].length - 1;
    const span = run.span(lane, number, now - run.offset);
    if (!span) continue;
    const pad = height >= 8 ? 1 : 0;
    const left = Math.max(0, (span.start + run.offset - view.from) * scale);
    const right = Math.min(width, (Math.min(span.end + run.offset, now) - view.from) * scale);
    if (right > left) brush.bar(gutter + left, y + pad, right - left, height - 2 * pad, span.state, span.inferred);
    if (right > left && (span.state === RUNNING || span.state === IDLING)) {
      const cook = plan.rows.find((row) => row.kind === "cook" && row.run === run);
      brush.bar(gutter + left, cook.y, right - left, cook.height, span.state, false);
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
    const key = [view.whole, ratio, theme, focus && plan.rows.indexOf(focus), ...words].join("/");
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
      if (row.kind === "heading") this.heading(row, view, words[(run += 1)] ?? "");
      else if (row.kind === "chart") this.scale(row, view);
      else if (row.kind === "cook") {
        this.name("the cook", middle, "bold 13px", view);
        this.context.fillStyle = view.ink.faint;
        this.context.fillRect(gutter, row.y - 2, width, 1);
        free = middle + 18;
      } else if (row === focus) this.focused(row, view);
      else if (row.height && middle >= free && !(focus && Math.abs(focus.y + focus.height / 2 - middle) < 14)) {
        this.name(row.run.names[row.lane], middle, plan.lane < 16 ? "11px" : "13px", view);
        free = middle + Math.max(row.height, 13) - 0.01;
      }
    }
  }

  name(text, middle, font, { ink, gutter }, colour = ink.text) {
    this.context.font = `${font} ${ink.font}`;
    this.context.fillStyle = colour;
    this.context.fillText(fitted(this.context, text, gutter - 10), 4, middle);
  }

  // The row that the reader looks at has its name, however little room there is.
  focused({ run, lane, y, height }, view) {
    const { ink, gutter, width } = view;
    this.context.fillStyle = ink.focus;
    this.context.fillRect(0, y + height / 2 - 8, gutter - 4, 16);
    this.context.fillRect(gutter, y - 0.5, width, 1);
    this.context.fillRect(gutter, y + height - 0.5, width, 1);
    this.name(run.names[lane], y + height / 2, `bold ${view.plan.lane < 16 ? 11 : 13}px`, view, ink.paper);
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

  heading({ run, y, height }, { ink, gutter, width }, words) {
    const { context } = this;
    context.fillStyle = ink.text;
    context.font = `12px ${ink.font}`;
    const text = fitted(context, words, width * 0.45);
    const wide = context.measureText(text).width;
    context.fillText(text, gutter + width - wide, y + height / 2);
    context.font = `bold 13px ${ink.font}`;
    context.fillText(fitted(context, run.summary || run.title, gutter + width - wide - 20, true), 4, y + height / 2);
  }
}

// A text with its middle (or its end) left out where it would be wider than `width`: both ends of a URL tell something.
export function fitted(context, text, width, atEnd = false) {
  if (context.measureText(text).width <= width) return text;
  const letters = Array.from(text); // not text.slice: it could cut a letter in two
  let [low, high] = [0, letters.length];
  const cut = (keep) => {
    const tail = atEnd ? 0 : Math.floor(keep / 2);
    return [...letters.slice(0, keep - tail), "…", ...letters.slice(letters.length - tail)].join("");
  };
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (context.measureText(cut(middle)).width <= width) low = middle;
    else high = middle - 1;
  }
  return cut(low);
}

// Where each run's cook stands at `time`: at the lane that she works on, or aside, at her own row.
function cooks(film, { plan }, time) {
  const found = [];
  for (const row of plan.rows) {
    if (row.kind !== "cook" || row.run.offset > time) continue;
    const then = within(row.run, time);
    const held = row.run.at(then).held[0];
    const at = held === undefined ? row : plan.rows.find((other) => other.run === row.run && other.lane === held);
    const lane = at.height ? at : row; // a lane that is not shown, she serves from her own row
    found.push({ row, place: lane.y + lane.height / 2, idle: held === undefined });
  }
  return found;
}

// A small cook with a tall hat; she looks at the lane on her left. Aside, she is only an outline.
function cookFigure(context, ink, x, y, idle) {
  context.save();
  context.translate(x + 13, y);
  context.lineWidth = 1.3;
  context.strokeStyle = ink.text;
  context.fillStyle = ink.paper;
  context.globalAlpha = idle ? 0.75 : 1;
  context.beginPath(); // the apron
  context.moveTo(-7, 12);
  context.quadraticCurveTo(-7, 1, 0, 1);
  context.quadraticCurveTo(7, 1, 7, 12);
  context.closePath();
  context.fillStyle = idle ? ink.paper : ink.flat[RUNNING];
  context.fill();
  context.stroke();
  context.beginPath(); // the head
  context.arc(0, -3, 4.6, 0, 2 * Math.PI);
  context.fillStyle = idle ? ink.paper : "#f6cfa9";
  context.fill();
  context.stroke();
  context.beginPath(); // the hat
  context.moveTo(-4.5, -6);
  context.lineTo(-4.5, -9);
  context.bezierCurveTo(-9, -10, -6, -16, -2.5, -14);
  context.bezierCurveTo(-1, -17, 3, -17, 3.5, -14);
  context.bezierCurveTo(8, -15, 8.5, -10, 4.5, -9);
  context.lineTo(4.5, -6);
  context.closePath();
  context.fillStyle = "#fff";
  context.fill();
  context.stroke();
  if (!idle) {
    context.beginPath(); // her arm, on the lane
    context.moveTo(-6, 6);
    context.lineTo(-13, 3);
    context.lineWidth = 2.4;
    context.stroke();
  }
  context.restore();
}

// The time axis under the lanes.
export function paintAxis(context, film, view) {
  const { ink, width, gutter, ratio } = view;
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
    const text = timeText(time, step);
    const wide = context.measureText(text).width;
    context.fillText(text, Math.min(x - wide / 2, gutter + width + view.right - wide), 8);
  }
  context.fillStyle = ink.text;
  context.fillText(film.unit === "min" ? "minutes" : "seconds", 4, 8);
}
