// What the tests in this folder share: films made by hand, and randomness that is the same every time.

import { OVER, READY, ROW_BYTES, Run, SWITCHING } from "../../kitchen/film.js";

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
