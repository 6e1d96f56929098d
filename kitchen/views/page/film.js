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
const FEW_ASIDES = 3; // lanes: so many bury nothing
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
    this.cooks = 1; // how many CPUs worked at the same time, as far as one knew when the run was over
    this.parents = {}; // lane: the lane of the task that created it
    this.asides = new Set(); // lanes of tasks that libraries made for themselves
    this.unfolded = false; // whether the reader wants to see these
    this.findings = []; // what is amiss: text; where to look: lane, start, end; and the code of its line: line (from 1 on), code
  }

  // Whether there is nothing to tell of it yet.
  get blank() {
    return !this.rows && this.ended === null;
  }

  // Whether so many of its lanes are asides that they are folded into one row, which opens.
  get folds() {
    return this.asides.size > FEW_ASIDES && this.asides.size < this.lanes.length;
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
    this.until = 0; // up to when the axis is to reach at least
  }

  // News of some runs, each with its rows as a DataView. What is known already is dropped; false: something is missing.
  receive({ runs, now = 0, until = 0 }, rows) {
    let whole = true;
    this.until = Math.max(this.until, until);
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
      for (const lane of news.asides ?? []) run.asides.add(lane);
      run.findings = news.findings ?? run.findings;
      run.append(rows[at], run.rows - news.from);
      run.ended = news.ended ?? run.ended;
      run.summary = news.summary ?? run.summary;
      run.cooks = news.cooks ?? run.cooks;
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

  // How far the axis reaches.
  get extent() {
    return Math.max(this.duration, this.until);
  }

  // The moments at which a cook turns to another dish, over all runs.
  turns() {
    const all = this.runs.flatMap((run) => run.turns().map((time) => run.offset + time));
    return [...new Set(all)].sort((one, other) => one - other);
  }
}

// A whole film: news of all its runs, with their rows in base64 unless they are given.
export function filmOf(saved, rows = saved.runs.map((run) => new DataView(bytesOf(run.rows).buffer))) {
  const film = new Film(saved.title);
  film.receive(saved, rows);
  return film;
}

// A film that is compressed, in base64. Where a browser cannot do this, the static picture stays.
export async function unpacked(packed) {
  return filmAt(await inflated(packed), 0).film;
}

// What is compressed, in base64, as bytes. Not by way of a Blob: the browser's other processes would have to be asked for that.
export async function inflated(packed) {
  const stream = new Response(bytesOf(packed)).body.pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// The film that begins there: a line of JSON, and behind it of each run the times, the lanes, and the whats. And where it ends.
export function filmAt(bytes, begin) {
  const line = bytes.indexOf(10, begin);
  const saved = JSON.parse(new TextDecoder().decode(bytes.subarray(begin, line)));
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
  return { film: filmOf(saved, rows), end: columns.byteOffset };
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
