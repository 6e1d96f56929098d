// A cook's shift, move by move: the rules of the game, as kitchen/lesson/game.py has them; a test holds the two equal. No page in here.

import { Film, OVER, READY, ROW_BYTES, RUNNING, WAITING } from "./film.js";
import { counted, threeDigits } from "./words.js";

const NEARLY = 1e-9; // minutes: two sums of the same minutes may differ by less

export class Shift {
  // `dishes`: of each its name and its steps, [kind, label, minutes].
  constructor(dishes) {
    this.dishes = dishes;
    this.begin();
  }

  // Plays these moves from minute 0: a dish's number each, null for a rest.
  begin(moves = []) {
    Object.assign(this, { now: 0, moves: [], turns: 0, had: null, log: [], waiting: [] });
    this.at = this.dishes.map(() => 0); // dishes' next steps
    this.ready = [...this.dishes.keys()].filter((number) => this.dishes[number].steps.length); // who is READY longest comes first
    for (const move of moves) this.move(move);
  }

  // Whether nobody needs the cook any more.
  get over() {
    return !this.ready.length && !this.waiting.length;
  }

  // Whether a move is possible: to serve a dish, or (null) to stand aside until the next one is READY.
  can(move) {
    return move === null ? this.waiting.length > 0 : this.ready.includes(move);
  }

  move(number) {
    this.moves.push(number);
    if (number === null) this.now = this.waiting[0].end;
    else {
      this.ready.splice(this.ready.indexOf(number), 1);
      if (number !== this.had) this.turns += 1;
      this.had = number;
      const { steps } = this.dishes[number];
      for (let at = this.at[number]; at < steps.length; at += 1) {
        const [kind, label, minutes] = steps[at];
        const [state, end] = [kind === "wait" ? WAITING : RUNNING, this.now + minutes];
        this.log.push({ number, state, label, start: this.now, end });
        this.at[number] = at + 1;
        if (state === WAITING) {
          if (at + 1 < steps.length) this.wait({ end, number });
          break;
        }
        this.now = end;
      }
    }
    while (this.waiting[0]?.end <= this.now) this.ready.push(this.waiting.shift().number);
  }

  // Those that end first come first; of those that end together, the one that began first.
  wait(one) {
    const place = this.waiting.findIndex(({ end }) => end > one.end);
    this.waiting.splice(place < 0 ? this.waiting.length : place, 0, one);
  }

  undo() {
    this.begin(this.moves.slice(0, -1));
  }

  // What a dish is doing now; of one that is READY, what it will do when it is served.
  doing(number) {
    if (this.ready.includes(number)) {
      const rest = this.dishes[number].steps.slice(this.at[number]);
      const until = rest.findIndex(([kind]) => kind === "wait");
      const work = until < 0 ? rest : rest.slice(0, until);
      const labels = work.map(([, label]) => label).join(", ") || `begin to ${rest[0][1]}`;
      return `${labels}, ${threeDigits(work.reduce((sum, [, , minutes]) => sum + minutes, 0))} min`;
    }
    const last = this.lastOf(number);
    return last?.state === WAITING && last.end > this.now ? `${last.label} until minute ${threeDigits(last.end)}` : "done";
  }

  lastOf(number) {
    return this.log.findLast((row) => row.number === number);
  }

  get makespan() {
    return Math.max(0, ...this.log.map(({ end }) => end));
  }

  // The pieces of a dish's lane, as [from, until, state, label], one behind the other; the last one is open (until: null) while
  // the dish is not done and the shift goes on.
  pieces(number) {
    const found = [];
    const add = (from, until, state, label) => {
      const last = found.at(-1);
      if (last && last[2] === state && last[3] === label) last[1] = until;
      else if (until === null || until > from) found.push([from, until, state, label]);
    };
    let over = 0;
    for (const { state, label, start, end } of this.log.filter((row) => row.number === number)) {
      if (start > over) add(over, start, READY, label);
      add(start, !this.over && end > this.now ? null : end, state, label);
      over = end;
    }
    if (this.ready.includes(number)) add(over, null, READY, this.dishes[number].steps[this.at[number]][1]);
    return found;
  }

  // News of a film's run, and its rows: the shift as far as it has come.
  news(run, title) {
    const [labels, changes] = [[], []];
    const numberOf = (label) => (labels.includes(label) ? labels.indexOf(label) : labels.push(label) - 1);
    this.dishes.forEach((_, lane) => {
      const pieces = this.pieces(lane);
      for (const [from, , state, label] of pieces) changes.push([from, lane, state + 16 * numberOf(label)]);
      if (pieces.length && pieces.at(-1)[1] !== null) changes.push([pieces.at(-1)[1], lane, OVER]);
    });
    const rows = new DataView(new ArrayBuffer(changes.length * ROW_BYTES));
    changes.forEach(([time, lane, what], at) => {
      rows.setFloat64(at * ROW_BYTES, time, true);
      rows.setUint32(at * ROW_BYTES + 8, lane, true);
      rows.setUint32(at * ROW_BYTES + 12, what, true);
    });
    const head = { lanes: this.dishes.map(({ name }) => name), title, unit: "min", offset: 0, live: !this.over };
    const ends = this.over ? { ended: this.makespan, summary: this.summary(title) } : { ended: null };
    return [{ run, from: 0, labelsFrom: 0, head, labels, ...ends }, rows];
  }

  summary(title) {
    const busy = this.log.reduce((sum, { state, start, end }) => sum + (state === RUNNING ? end - start : 0), 0);
    const [time, switches] = [threeDigits(this.makespan), Math.max(this.turns - 1, 0)];
    return `${title}: ${time} min, CPU busy ${Math.round((100 * busy) / (this.makespan || 1))}%, ${counted(switches, "switch", "switches")}`;
  }
}

// The shift of who always serves the one that has been READY longest, as the loop does.
export function asTheLoop(dishes) {
  const shift = new Shift(dishes);
  while (!shift.over) shift.move(shift.ready[0] ?? null);
  return shift;
}

export const COVERED = "the loop: covered until you are done";

// The film of a shift, and below it of the loop's; that is covered as long as this one goes on.
export function filmOfShift(shift, loop) {
  const film = new Film("You are the scheduler");
  const nothing = { run: 1, from: 0, labelsFrom: 0, head: { lanes: loop.dishes.map(({ name }) => name), title: COVERED, unit: "min", live: true }, labels: [], ended: null };
  const runs = [shift.news(0, "you"), shift.over ? loop.news(1, "the loop") : [nothing, new DataView(new ArrayBuffer(0))]];
  film.receive({ runs: runs.map(([news]) => news), now: shift.over ? 0 : shift.now, until: 1.25 * loop.makespan }, runs.map(([, rows]) => rows));
  return film;
}

// How well it went, in words; while the shift goes on, how things stand. `best`: the shortest time; null where there are too many
// orders to try. `bound`: no order can beat that.
export function scoreOf(shift, loop, best, bound) {
  if (!shift.over) return `Minute ${threeDigits(shift.now)}: ${shift.ready.length ? "whom does she serve?" : "nobody is READY."}`;
  const [yours, its] = [shift.makespan, loop.makespan];
  const verdict = yours > its + NEARLY ? "Slower than" : yours < its - NEARLY ? "Faster than" : "As fast as";
  const orders = best === null ? "there are too many to try" : `the best of all takes ${threeDigits(best)}`;
  const figures = `you took ${threeDigits(yours)} min, and the loop ${threeDigits(its)}. Of the possible orders, ${orders}`;
  return `${verdict} the loop: ${figures}. The lower bound, all the work or the longest dish, is ${threeDigits(bound)}.`;
}
