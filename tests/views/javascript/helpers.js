// What the tests in this folder share: films made by hand, and randomness that is the same every time.

import { Film, OVER, READY, ROW_BYTES, RUNNING, Run, SWITCHING, WAITING } from "../../../kitchen/views/page/film.js";

// Rows as they come from Python: [time, lane, what] each.
export const rowsOf = (rows) => {
  const view = new DataView(new ArrayBuffer(rows.length * ROW_BYTES));
  rows.forEach(([time, lane, what], at) => {
    view.setFloat64(at * ROW_BYTES, time, true);
    view.setUint32(at * ROW_BYTES + 8, lane, true);
    view.setUint32(at * ROW_BYTES + 12, what, true);
  });
  return view;
};

// The news that tell of `changes`, [time, lane, state, label, inferred] each, with the rows that belong to them.
// `lanesFrom`: from which on the lanes are told; rows that do not begin at 0 bring none, unless this says so.
export const newsOf = (lanes, changes, { run = 0, from = 0, ended = null, labels = [], lanesFrom, ...rest } = {}) => {
  const [known, all] = [labels.length, [...labels]];
  const rows = changes.slice(from).map(([time, lane, state, label = "", inferred = false]) => {
    if (!state && !label) return [time, lane, OVER];
    if (state === SWITCHING) return [time, lane, SWITCHING + 16 * lanes.indexOf(label)];
    if (!all.includes(label)) all.push(label);
    return [time, lane, state + 8 * (inferred || !state) + 16 * all.indexOf(label)];
  });
  const news = { run, from, labelsFrom: known, labels: all.slice(known), ended };
  if (from === 0) news.head = { lanes, ...rest };
  else if (lanesFrom !== undefined) Object.assign(news, { lanesFrom, lanes: lanes.slice(lanesFrom) }, rest);
  return [news, rowsOf(rows)];
};

// A run of which everything is known.
export const runOf = (lanes, changes, { ended = null, ...head } = {}) => {
  const [news, rows] = newsOf(lanes, changes);
  const run = new Run({ lanes, ...head });
  run.labels.push(...news.labels);
  run.append(rows);
  run.ended = ended;
  return run;
};

// As Python's Recorder begins: everybody is READY.
export const allReady = (lanes) => lanes.map((_, lane) => [0, lane, READY]);

// Numbers from 0 to 1, the same for the same seed.
export const randomly = (seed) => () => {
  seed = (seed + 0x6d2b79f5) | 0;
  let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
};

// Two dishes and a third without steps; the cook turns from egg to tea in the minute from 2 to 3.
export const breakfast = (rest = {}) =>
  runOf(
    ["egg", "tea", "air"],
    [
      [0, 0, RUNNING, "fill"],
      [0, 1, READY, "brew"],
      [2, 0, WAITING, "boil"],
      [2, 3, SWITCHING, "tea"],
      [3, 3, OVER],
      [3, 1, RUNNING, "brew"],
      [4, 1, OVER],
      [8, 0, RUNNING, "peel", true],
      [9, 0, OVER],
    ],
    { title: "breakfast", unit: "min", ended: 9, ...rest },
  );

export const filmWith = (...runs) => Object.assign(new Film("several"), { runs });

// Lanes that change their state at times of their own, told in whatever order they come.
export const crowdOf = (random, number) => {
  const lanes = Array.from({ length: number }, (_, lane) => `page ${lane}`);
  const changes = lanes.flatMap((_, lane) => {
    let time = random() < 0.5 ? 0 : Math.round(random() * 8) / 4;
    return Array.from({ length: 4 }, (_, at) => [(time += Math.round(random() * 8) / 4), lane, at === 3 ? OVER : 1 + Math.floor(random() * 4)]);
  });
  return [lanes, changes];
};
