// What is said of a film: moments, figures and sentences. No page in here: Node tests it.

import { IDLING, READY, RUNNING, STATES, WAITING, within } from "./film.js";

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

export function threeDigits(number) {
  const size = Math.abs(number);
  return size >= 100 ? number.toFixed(0) : size >= 0.001 ? String(Number(number.toPrecision(3))) : number === 0 ? "0" : number.toPrecision(1);
}

// "1 piece", "2 pieces".
export function counted(number, one, many) {
  return `${number} ${number === 1 ? one : many}`;
}

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
  const shown = film.runs.filter((run) => run.offset <= time && !run.blank);
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
