// A film is what is known of one or more runs: who was in which state from when on. No page in here: Node tests it.
//
// Every run keeps, lane by lane, when something changed (`times`) and to what (`whats`). A span reaches from one change
// to the next; the last one of a lane is open, and reaches to now. Facts come in rows of 16 bytes, little-endian: time
// (float64, in the run's own unit since its beginning), lane (uint32), what (uint32: state + 8 if inferred + 16 x number
// of the label; over + 8 + 16 x number: over without being done, and why). Behind the lanes of the run there is one more,
// on which the cook turns to another dish: switching + 16 x number of that lane. Lanes may be added while a run goes on;
// none is added before those that are known.

export const [OVER, RUNNING, READY, WAITING, IDLING, SWITCHING] = [0, 1, 2, 3, 4, 5];
export const STATES = ["", "RUNNING", "READY", "WAITING", "IDLING", "SWITCHING"];
export const ROW_BYTES = 16;
const HOLDING = new Set([RUNNING, IDLING, SWITCHING]); // the states in which somebody has the cook

export class Run {
  // `live`: its rows come as they are recorded, and a READY without a label is for the step that comes next.
  constructor({ title = "", unit = "s", offset = 0, lanes, names = lanes, live = false }) {
    Object.assign(this, { title, unit, offset, lanes, names, live });
    this.labels = [];
    this.times = Array.from({ length: lanes.length + 1 }, () => []);
    this.whats = Array.from({ length: lanes.length + 1 }, () => []);
    this.rows = 0;
    this.edges = []; // where a lane goes over from one state to another: time, before, after, in the order in which they came
    this.counts = new Counts();
    this.last = 0; // the latest change that is known
    this.seen = new Set(); // the states that occur, + 8 where inferred; 8: over without being done
    this.ended = null; // when the run was over
    this.summary = "";
    this.parents = {}; // lane: the lane of the task that created it
    this.findings = []; // what is amiss: text, and where to look: lane, start, end
  }

  // The lanes from number `from` on; those that are known are dropped. The one behind the last moves up.
  grow(lanes, from) {
    const added = lanes.slice(this.lanes.length - from);
    if (!added.length) return;
    for (const kept of [this.times, this.whats]) kept.splice(this.lanes.length, 0, ...added.map(() => []));
    const apart = this.names !== this.lanes;
    this.lanes = [...this.lanes, ...added];
    this.names = apart ? [...this.names, ...added] : this.lanes;
  }

  // Appends rows (a DataView), from number `skip` on.
  append(rows, skip = 0) {
    for (let at = skip * ROW_BYTES; at < rows.byteLength; at += ROW_BYTES) {
      const time = rows.getFloat64(at, true);
      const lane = rows.getUint32(at + 8, true);
      const what = rows.getUint32(at + 12, true);
      const before = this.whats[lane].at(-1) & 7;
      if (lane < this.lanes.length && before !== (what & 7)) this.edges.push(time, before, what & 7);
      this.times[lane].push(time);
      this.whats[lane].push(what);
      if (what & 15) this.seen.add(what & 15);
      if (time > this.last) this.last = time;
      this.rows += 1;
    }
  }

  // The number of the span in which a lane is at `time`; -1: it has not begun.
  find(lane, time) {
    const times = this.times[lane];
    let low = 0;
    let high = times.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (times[middle] <= time) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  state(lane, number) {
    return number < 0 ? OVER : this.whats[lane][number] & 7;
  }

  // When a span ends that began; an open one goes on until `now`.
  end(lane, number, now) {
    const times = this.times[lane];
    return number + 1 < times.length ? times[number + 1] : Math.max(this.ended ?? now, times[number]);
  }

  // One span as a record; null where the lane is not there.
  span(lane, number, now) {
    const state = this.state(lane, number);
    if (state === OVER) return null;
    const start = this.times[lane][number];
    const what = this.whats[lane][number];
    let label = (lane < this.lanes.length ? this.labels : this.names)[what >> 4] ?? "";
    if (this.live && state === READY && !label && (this.whats[lane][number + 1] & 7) !== OVER) {
      label = this.labels[this.whats[lane][number + 1] >> 4] ?? "";
    }
    return { lane, state, label, start, end: this.end(lane, number, now), inferred: Boolean(what & 8) };
  }

  stateAt(lane, time) {
    return this.hasEnded(time) ? OVER : this.state(lane, this.find(lane, time));
  }

  hasEnded(time) {
    return this.ended !== null && time >= this.ended;
  }

  // What has become of a lane by `time`: "" while it goes on, "done", or why it was over without being done.
  outcome(lane, time) {
    const number = this.find(lane, time);
    const last = this.times[lane].length - 1;
    if (last < 0) return this.live && this.ended === null ? "" : "done"; // there was nothing to do
    if (number === last && this.state(lane, last) === OVER) {
      const what = this.whats[lane][last];
      return what & 8 ? this.labels[what >> 4] : "done";
    }
    return this.hasEnded(time) ? "unfinished" : "";
  }

  // Who is in which state at `time`, as lane numbers; `held` is everybody who has the CPU then. Several ask for the same.
  at(time) {
    const asked = `${time}/${this.rows}/${this.ended}/${this.lanes.length}`;
    if (this.atOf !== asked) [this.atOf, this.then] = [asked, this.lookAt(time)];
    return this.then;
  }

  lookAt(time) {
    const found = { held: [], ready: [], waiting: [], done: 0, undone: 0, turning: "" };
    for (let lane = 0; lane < this.lanes.length; lane += 1) {
      const state = this.stateAt(lane, time);
      if (state === RUNNING || state === IDLING) found.held.push(lane);
      else if (state === READY) found.ready.push(lane);
      else if (state === WAITING) found.waiting.push(lane);
      else {
        const outcome = this.outcome(lane, time);
        if (outcome) found[outcome === "done" ? "done" : "undone"] += 1;
      }
    }
    const turn = this.find(this.lanes.length, time);
    found.turning = this.span(this.lanes.length, turn, time)?.label ?? "";
    return found;
  }

  // How many lanes are in each state at `time`: numbers, by state.
  countsAt(time) {
    this.counts.add(this.edges);
    return this.hasEnded(time) ? NOBODY : this.counts.at(time);
  }

  // The mean number of lanes in each state, in each of `columns` pixels of `size` from `from` on, as far as `now`.
  meanCounts(from, size, columns, now) {
    this.counts.add(this.edges);
    return this.counts.means(from, size, columns, this.ended ?? now);
  }

  // How long a lane took: from its first turn on the CPU to its end; one that never had the CPU, as long as it was there.
  took(lane, now) {
    const whats = this.whats[lane];
    let first = whats.findIndex((what) => (what & 7) === RUNNING || (what & 7) === IDLING);
    if (first < 0) first = whats.findIndex((what) => (what & 7) !== OVER);
    if (first < 0) return 0;
    const last = whats.findLastIndex((what) => (what & 7) !== OVER);
    return this.end(lane, last, now) - this.times[lane][first];
  }

  // The moments at which the cook turns to another dish than she had before, in order of time.
  turns() {
    const known = `${this.rows}/${this.ended}`;
    if (this.turnsOf !== known) {
      const held = [];
      for (let lane = 0; lane <= this.lanes.length; lane += 1) {
        this.whats[lane].forEach((what, number) => {
          const [start, end] = [this.times[lane][number], this.end(lane, number, Infinity)];
          if (!HOLDING.has(what & 7) || !(end > start)) return;
          held.push({ start, end, lane: lane < this.lanes.length ? lane : what >> 4 });
        });
      }
      held.sort((one, other) => one.start - other.start || one.end - other.end);
      this.turned = held.filter(({ lane }, at) => held[at - 1]?.lane !== lane).map(({ start }) => start);
      this.turnsOf = known;
    }
    return this.turned;
  }
}

// How many lanes are in each state, over time. Exact: a sweep over all edges, which are kept in order of time. Nearly all come
// in that order; one that is late is put where it belongs, and what comes after it is counted again.
export class Counts {
  constructor() {
    this.read = 0; // so many numbers of the edges are in here
    this.times = [];
    this.before = [];
    this.after = [];
    this.numbers = STATES.map(() => []); // of each state, from each of these times on; who is over is not counted
  }

  // Edges as a run has them: those that are new are counted.
  add(edges) {
    const fresh = [];
    for (; this.read < edges.length; this.read += 3) fresh.push(edges.slice(this.read, this.read + 3));
    if (!fresh.length) return;
    fresh.sort((one, other) => one[0] - other[0]);
    const first = this.find(fresh[0][0]) + 1;
    const later = this.times.splice(first).map((time, at) => [time, this.before[first + at], this.after[first + at]]);
    for (const column of [this.before, this.after, ...this.numbers]) column.length = first;
    for (let [one, other] = [0, 0]; one < fresh.length || other < later.length; ) {
      const isFresh = other === later.length || (one < fresh.length && fresh[one][0] <= later[other][0]);
      this.append(...(isFresh ? fresh[one++] : later[other++]));
    }
  }

  append(time, before, after) {
    const last = this.times.length - 1;
    this.times.push(time);
    this.before.push(before);
    this.after.push(after);
    this.numbers.forEach((numbers, state) => {
      numbers.push(state === OVER ? 0 : (numbers[last] ?? 0) + (state === after) - (state === before));
    });
  }

  // The number of the last edge that is not after `time`; -1: there is none.
  find(time) {
    let [low, high] = [0, this.times.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.times[middle] <= time) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  at(time) {
    const edge = this.find(time);
    return edge < 0 ? NOBODY : this.numbers.map((numbers) => numbers[edge]);
  }

  // By state, the mean in each of `columns` stretches of `size` from `from` on; from `until` on there is nobody.
  means(from, size, columns, until) {
    const means = STATES.map(() => new Float64Array(columns));
    const end = Math.min(until, from + size * columns);
    let edge = Math.max(0, this.find(from));
    for (; edge < this.times.length && this.times[edge] < end; edge += 1) {
      const start = (Math.max(this.times[edge], from) - from) / size;
      const stop = (Math.min(this.times[edge + 1] ?? end, end) - from) / size;
      if (!(stop > start)) continue;
      for (let column = Math.floor(start); column < Math.min(stop, columns); column += 1) {
        const part = Math.min(stop, column + 1) - Math.max(start, column);
        for (let state = RUNNING; state <= IDLING; state += 1) means[state][column] += part * this.numbers[state][edge];
      }
    }
    return means;
  }
}

const NOBODY = STATES.map(() => 0);

// --- which lanes one asks for ---------------------------------------------------------------------------------------

export const CHOICES = { first: "the first ten", slowest: "the slowest ten", undone: "those that were not done", all: "all" };
const TEN = 10;

// The numbers of the lanes of a run whose names have `text` in them, whatever its case; of those the choice, in menu order.
export function chosen(run, choice, text, now = run.last) {
  const wanted = text.trim().toLowerCase();
  const lanes = [...run.lanes.keys()].filter((lane) => run.lanes[lane].toLowerCase().includes(wanted));
  if (choice === "first") return lanes.slice(0, TEN);
  if (choice === "undone") return lanes.filter((lane) => !["", "done"].includes(run.outcome(lane, Infinity)));
  if (choice !== "slowest") return lanes;
  const took = new Map(lanes.map((lane) => [lane, Math.round(run.took(lane, now) * 1e9)])); // equal but for rounding is equal
  return lanes.sort((one, other) => took.get(other) - took.get(one)).slice(0, TEN).sort((one, other) => one - other);
}

export class Film {
  constructor(title = "") {
    this.title = title;
    this.runs = [];
    this.now = 0;
  }

  // News of some runs, each with its rows as a DataView. What is known already is dropped; false: something is missing.
  receive({ runs, now = 0 }, rows) {
    let whole = true;
    this.now = Math.max(this.now, now);
    runs.forEach((news, at) => {
      if (!this.runs[news.run] && news.head && news.run === this.runs.length) this.runs.push(new Run(news.head));
      const run = this.runs[news.run];
      const { lanes = news.head?.lanes ?? [], lanesFrom = 0 } = news;
      if (!run || news.from > run.rows || news.labelsFrom > run.labels.length || lanesFrom > run.lanes.length) {
        whole = false;
        return;
      }
      for (const label of news.labels.slice(run.labels.length - news.labelsFrom)) run.labels.push(label);
      run.grow(lanes, lanesFrom);
      Object.assign(run.parents, news.parents);
      run.findings = news.findings ?? run.findings;
      run.append(rows[at], run.rows - news.from);
      run.ended = news.ended ?? run.ended;
      run.summary = news.summary ?? run.summary;
    });
    return whole;
  }

  get unit() {
    return this.runs[0]?.unit ?? "s";
  }

  // How far the picture reaches: to the end of the last run, or to what is known of it.
  get duration() {
    return Math.max(0, ...this.runs.map((run) => run.offset + (run.ended ?? Math.max(run.last, this.now - run.offset))));
  }

  // The moments at which a cook turns to another dish, over all runs.
  turns() {
    const all = this.runs.flatMap((run) => run.turns().map((time) => run.offset + time));
    return [...new Set(all)].sort((one, other) => one - other);
  }
}

// A saved film: news of all its runs, with their rows in base64 unless they are given.
export function filmOf(saved, rows = saved.runs.map((run) => new DataView(bytesOf(run.rows).buffer))) {
  const film = new Film(saved.title);
  film.receive(saved, rows);
  return film;
}

// A large film, which is compressed: a line of JSON, and behind it of each run the times, the lanes, and the whats. Where a
// browser cannot do this, the static picture stays.
export async function unpacked({ packed }) {
  const stream = new Blob([bytesOf(packed)]).stream().pipeThrough(new DecompressionStream("deflate"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const line = bytes.indexOf(10);
  const saved = JSON.parse(new TextDecoder().decode(bytes.subarray(0, line)));
  let columns = new DataView(bytes.buffer, line + 1);
  const rows = saved.runs.map(({ rows: number }) => {
    const view = new DataView(new ArrayBuffer(number * ROW_BYTES));
    for (let row = 0; row < number; row += 1) {
      view.setFloat64(row * ROW_BYTES, columns.getFloat64(8 * row, true), true);
      view.setUint32(row * ROW_BYTES + 8, columns.getUint32(8 * number + 4 * row, true), true);
      view.setUint32(row * ROW_BYTES + 12, columns.getUint32(12 * number + 4 * row, true), true);
    }
    columns = new DataView(bytes.buffer, columns.byteOffset + view.byteLength);
    return view;
  });
  return filmOf(saved, rows);
}

function bytesOf(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at += 1) bytes[at] = text.charCodeAt(at);
  return bytes;
}

// The kernel's clock as the page knows it: a message tells the time, late by its journey; the quickest was the least late.
export class Clock {
  constructor() {
    this.behind = Infinity;
  }

  heard(now, local) {
    this.behind = Math.min(this.behind, local - now);
  }

  at(local) {
    return Number.isFinite(this.behind) ? Math.max(0, local - this.behind) : 0;
  }
}

// A moment of the common axis in a run's own time; the nudge makes up for rounding, so that an end is not just missed.
export function within(run, time) {
  return time - run.offset + 1e-9 * Math.max(1, Math.abs(time));
}

// --- moments and figures --------------------------------------------------------------------------------------------

// The first of sorted `moments` that lies after `time`, or the last before it.
export function neighbour(moments, time, forth) {
  const near = 1e-9 * Math.max(1, Math.abs(time));
  return forth ? moments.find((moment) => moment > time + near) : moments.findLast((moment) => moment < time - near);
}

// Round times between `from` and `to`, at most about `most` of them, and the step between two.
export function ticks(from, to, most) {
  const least = (to - from) / Math.max(most, 1);
  if (!(least > 0)) return { step: 1, at: [from] };
  const ten = 10 ** Math.floor(Math.log10(least));
  const step = [1, 2, 5, 10].map((times) => times * ten).find((candidate) => candidate >= least * (1 - 1e-9));
  const at = [];
  for (let number = Math.ceil(from / step - 1e-9); number * step <= to * (1 + 1e-12); number += 1) at.push(number * step);
  return { step, at };
}

// A time with as many digits as steps of `step` need.
export function timeText(time, step) {
  const digits = Math.max(0, Math.min(12, Math.ceil(-Math.log10(step) - 1e-9)));
  return time.toFixed(digits);
}

// A duration as one says it: three digits that count, small ones of a second in milliseconds.
export function lengthText(time, unit) {
  if (unit === "s" && Math.abs(time) < 1) return `${threeDigits(time * 1000)} ms`;
  return `${threeDigits(time)} ${unit}`;
}

function threeDigits(number) {
  const size = Math.abs(number);
  return size >= 100 ? number.toFixed(0) : size >= 0.001 ? String(Number(number.toPrecision(3))) : number === 0 ? "0" : number.toPrecision(1);
}

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

// --- words ----------------------------------------------------------------------------------------------------------

const MOST_NAMES = 4;

function named(run, lanes) {
  return lanes.length <= MOST_NAMES ? lanes.map((lane) => run.names[lane]).join(", ") : `${lanes.length} of ${run.lanes.length}`;
}

// Whom the cook of a run serves at `time`, in a few words; `briefly`: without the step.
export function cookText(run, time, briefly = false) {
  const { held, turning } = run.at(time);
  if (turning) return `turning to ${turning}`;
  if (!held.length) return "nobody";
  if (held.length > 2) return `${held.length} at once`;
  return held
    .map((lane) => {
      if (briefly) return run.names[lane];
      const { label, state } = run.span(lane, run.find(lane, time), time);
      const words = [label, state === IDLING ? "only waiting" : ""].filter(Boolean).join(", ");
      return words ? `${run.names[lane]} (${words})` : run.names[lane];
    })
    .join(" and ");
}

// How many lanes of a run are over by `time`.
export function doneText(run, time) {
  const { done, undone } = run.at(time);
  return `${done} of ${run.lanes.length} done${undone ? `, ${undone} not` : ""}`;
}

// How many lanes of a run are in which state at `time`, a line for each.
export function crowdText(run, time) {
  const counts = run.countsAt(time);
  const { done, undone } = run.at(time);
  const lines = [RUNNING, READY, WAITING, IDLING].filter((state) => run.seen.has(state) || run.seen.has(state + 8));
  const rest = run.lanes.length - done - undone - counts.reduce((sum, number) => sum + number, 0);
  const others = [[done, "done"], [undone, "over, and not done"], [rest, "not there"]].filter(([number]) => number);
  return [...lines.map((state) => [counts[state], STATES[state]]), ...others].map(([number, what]) => `${number} ${what}`);
}

// The state of affairs at `time` in a sentence, for whoever does not see the picture.
export function affairs(film, time) {
  const shown = film.runs.filter((run) => run.offset <= time);
  if (!shown.length) return "Nothing has begun yet.";
  return shown
    .map((run) => {
      const then = within(run, time);
      const { ready, waiting } = run.at(then);
      const parts = [`on the CPU: ${cookText(run, then)}`];
      if (ready.length) parts.push(`ready: ${named(run, ready)}`);
      if (waiting.length) parts.push(`waiting: ${named(run, waiting)}`);
      parts.push(doneText(run, then));
      if (film.runs.length > 1 && run.ended !== null && then > run.ended) {
        return `${run.title}: over after ${lengthText(run.ended, run.unit)}, ${doneText(run, then)}.`;
      }
      const begin = film.runs.length > 1 ? `${run.title}, ` : "";
      return `${begin}${begin ? "at" : "At"} ${lengthText(time - run.offset, run.unit)}, ${parts.join("; ")}.`;
    })
    .join(" ");
}
