// The film on a plate: painted once, added to while it grows, and laid under every frame. What is thinner than a pixel is mixed.

import { IDLING, OVER, READY, RUNNING, SWITCHING, WAITING } from "./film.js";
import { Writing } from "./writing.js";

const OUTLINED = 8; // pixels: bars as high as that are outlined where paper and colour are alike, in WAITING
const MARKED = 6; // pixels: there is room for a lane's mark
const MARKED_HEIGHT = 12; // and pixels: a strip of this height has room for one
const NARROW = 3; // pixels: what is narrower in the cook's row is summed up, pixel by pixel

// Where the spans of a lane lie in pixels: paints those that are wider than one, and mixes what falls into one pixel.
// From number `first` on, as far as they are `closed`: an open one will grow.
// `paint(x, width, state, inferred, number, share)`: share is the part of the pixel that this state takes.
export function paintLane(run, lane, { from, scale, width, now, first = 0, closed }, paint) {
  const times = run.times[lane];
  const whats = run.whats[lane];
  let pixel = -1;
  let shares = new Map();
  const flush = () => {
    for (const [what, share] of shares) paint(pixel, 1, what & 7, Boolean(what & 8), -1, Math.min(1, share));
    shares = new Map();
  };
  const mix = (start, end, what) => {
    if (!(end > start)) return;
    if (Math.floor(start) !== pixel) flush();
    pixel = Math.floor(start);
    shares.set(what, (shares.get(what) ?? 0) + end - start);
  };
  for (let number = Math.max(first, run.find(lane, from)); number < closed; number += 1) {
    const start = (times[number] - from) * scale;
    if (start >= width) break;
    const what = whats[number];
    const end = (run.end(lane, number, now) - from) * scale;
    if ((what & 7) === OVER || !(end > 0) || !(end > start)) continue;
    const [left, right] = [Math.max(start, 0), Math.min(end, width)];
    if (right - left >= 1) {
      flush();
      paint(left, right - left, what & 7, Boolean(what & 8), number, 1);
    } else if (Math.floor(left) === Math.floor(right)) mix(left, right, what & 15);
    else {
      mix(left, Math.floor(right), what & 15);
      mix(Math.floor(right), right, what & 15);
    }
  }
  flush();
}

// Paints bars, collected by style, so that the canvas changes its style a dozen times and not a hundred thousand times.
export class Brush {
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
    this.context.strokeStyle = this.ink.edge;
    this.context.lineWidth = 1;
    for (const { state, patterned, alpha, boxes } of this.lots.values()) {
      this.context.globalAlpha = alpha;
      this.context.fillStyle = (patterned ? this.ink.pattern : this.ink.flat)[state];
      for (let at = 0; at < boxes.length; at += 4) {
        this.context.fillRect(boxes[at], boxes[at + 1], boxes[at + 2], boxes[at + 3]);
        if (patterned && state === WAITING && boxes[at + 3] >= OUTLINED) {
          this.context.strokeRect(boxes[at] + 0.5, boxes[at + 1] + 0.5, boxes[at + 2] - 1, boxes[at + 3] - 1);
        }
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
    this.writing = new Writing();
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
      this.writing.clear(width, plan.height, ratio);
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
    for (const word of words) this.writing.write(view.ink, ...word);
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
      const holds = state === RUNNING || state === IDLING;
      if (holds) cook.add(x, width, state, share, lane);
      if (holds && row.under) brush.bar(x, row.under.y + 1, width, row.under.height - 2, state, inferred, share);
      if (height && number >= 0 && !view.plan.thin && width > 24 && writable.has(state)) {
        words.push([x, y, width, height, run.span(lane, number, run.last).label, state]);
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

  // The cook's row: in each pixel as high as the part of the time in which she had something in hand. Where several cooks
  // work at once it has a strip for each.
  paintCook({ run, y, height }, view) {
    const cook = this.cooks.get(run);
    if (!cook || cook.painted === run.cooks) return;
    cook.painted = run.cooks;
    const { context } = this;
    context.clearRect(0, y, view.width, height);
    this.writing.wipe(y, view.width, height);
    const bars = cook.bars.toSorted((one, other) => one[0] - other[0]);
    const strips = stripsOf(bars, run.cooks);
    const tall = height / run.cooks;
    bars.forEach(([x, width, state, lane], at) => {
      const [left, right] = [Math.floor(x * view.ratio) / view.ratio, Math.ceil((x + width) * view.ratio) / view.ratio];
      const next = view.plan.few && width > 5 ? bars.find((_, other) => other > at && strips[other] === strips[at]) : bars[at];
      const seam = next?.[3] === lane ? 0 : 1.5; // where she turns to another dish
      context.fillStyle = view.ink.pattern[state];
      context.fillRect(left, y + tall * strips[at], right - left - seam, tall);
    });
    for (const state of [RUNNING, IDLING, SWITCHING]) {
      context.fillStyle = view.ink.pattern[state];
      cook.runs(state, run.cooks, (x, width, low, high) => context.fillRect(x, y + height - tall * high, width, tall * (high - low)));
    }
    // Where several work at once, and it is not known yet how many, nobody's name is to stand on another's.
    const alone = ([x, width]) => bars.filter(([left, wide]) => Math.min(left + wide, x + width) - Math.max(left, x) > NARROW).length < 2;
    const isRoom = run.cooks > 1 ? () => tall >= MARKED_HEIGHT : alone;
    if (!view.plan.few) return;
    bars.forEach((bar, at) => {
      const [x, width, state, lane] = bar;
      const place = [x, y + tall * strips[at], width, tall];
      if (!isRoom(bar) || (run.cooks === 1 && this.writing.write(view.ink, ...place, run.names[lane], state))) return;
      if (lane >= 0 && view.plan.marks && width >= MARKED) this.writing.mark(view.ink, ...place, lane, state);
    });
  }
}

// In which strip of the cook's row each of these bars is, which are in order of time: one where the same dish was, if it is
// free, or else the first that is; where none is, the one that is the next to be.
export function stripsOf(bars, cooks) {
  const until = new Array(cooks).fill(0);
  const had = new Array(cooks);
  return bars.map(([x, width, , lane]) => {
    const free = [...until.keys()].filter((strip) => until[strip] <= x + 0.5);
    const place = free.find((strip) => had[strip] === lane) ?? free[0] ?? until.indexOf(Math.min(...until));
    [until[place], had[place]] = [x + width, lane];
    return place;
  });
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
    this.painted = 0; // for how many cooks: 0 when it has changed since
  }

  add(x, width, state, share, lane) {
    if (width >= NARROW) this.bars.push([x, width, state, lane]);
    else {
      const end = Math.min(x + width, this.width);
      for (let pixel = Math.floor(x); pixel < end; pixel += 1) {
        this.of[state][pixel] += share * (Math.min(end, pixel + 1) - Math.max(x, pixel));
      }
    }
    this.painted = 0;
  }

  // `paint(x, width, low, high)` for each stretch of pixels in which the share of `state`, on top of the others', stays;
  // `most`: of all shares together.
  runs(state, most, paint) {
    let start = 0;
    let [before, until] = [0, 0];
    for (let pixel = 0; pixel <= this.width; pixel += 1) {
      const low = state === RUNNING ? 0 : this.of[RUNNING][pixel] + (state === SWITCHING ? this.of[IDLING][pixel] : 0);
      const high = Math.min(most, low + this.of[state][pixel]);
      if (Math.abs(low - before) > 0.01 || Math.abs(high - until) > 0.01 || pixel === this.width) {
        if (until > before) paint(start, pixel - start, before, until);
        [start, before, until] = [pixel, low, high];
      }
    }
  }
}
