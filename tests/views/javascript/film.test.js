// What a film knows.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  Clock,
  Counts,
  Film,
  IDLING,
  OVER,
  READY,
  RUNNING,
  STATES,
  SWITCHING,
  WAITING,
  chosen,
  within,
} from "../../../kitchen/views/page/film.js";
import { doneText } from "../../../kitchen/views/page/words.js";
import { allReady, breakfast, crowdOf, filmWith, randomly, rowsOf, runOf } from "./helpers.js";

const ALMOST = 1e-6;

// --- one run

test("the states have the numbers that Python writes", () => {
  assert.deepEqual(
    ["RUNNING", "READY", "WAITING", "IDLING", "SWITCHING"].map((name) => STATES.indexOf(name)),
    [RUNNING, READY, WAITING, IDLING, SWITCHING],
  );
  assert.equal(OVER, 0);
});

test("a run knows what it was told of its beginning, and names are the lanes unless they are shorter", () => {
  const run = runOf(["a", "b"], []);
  assert.deepEqual([run.title, run.unit, run.offset, run.ended, run.names], ["", "s", 0, null, ["a", "b"]]);
  assert.deepEqual(runOf(["a", "b"], [], { names: ["x", "y"] }).names, ["x", "y"]);
});

test("rows that are skipped are not counted twice, and the latest change is remembered", () => {
  const run = runOf(["a"], [[0, 0, READY], [5, 0, RUNNING]]);
  run.append(rowsOf([[0, 0, READY], [5, 0, RUNNING], [7, 0, OVER], [6, 1, OVER]]), 2);
  assert.deepEqual(run.times, [[0, 5, 7], [6]]);
  assert.deepEqual([run.rows, run.last], [4, 7]);
  run.append(rowsOf([[0, 0, READY]]), 9);
  assert.equal(run.rows, 4);
});

test("rows are read from wherever a message has them", () => {
  const view = rowsOf([[1, 0, RUNNING], [2, 0, WAITING]]);
  const run = runOf(["a"], []);
  run.append(new DataView(view.buffer, 16));
  assert.deepEqual([run.times[0], run.whats[0]], [[2], [WAITING]]);
});

test("a span is found from the moment of its change on, until the next one", () => {
  const run = breakfast();
  const found = [-1, 0, 1, 2 - ALMOST, 2, 5, 8, 9, 100].map((time) => run.find(0, time));
  assert.deepEqual(found, [-1, 0, 0, 0, 1, 1, 2, 3, 3]);
  assert.equal(run.find(2, 5), -1);
});

test("of several changes at one moment the last one counts", () => {
  const run = runOf(["a"], [[0, 0, READY], [1, 0, WAITING, "x"], [1, 0, WAITING, "y"], [1, 0, RUNNING, "z"]]);
  assert.equal(run.find(0, 1), 3);
  assert.equal(run.stateAt(0, 1), RUNNING);
  assert.equal(run.stateAt(0, 1 - ALMOST), READY);
});

test("a search among many changes finds what looking at each finds", () => {
  const random = randomly(1);
  let time = 0;
  const changes = Array.from({ length: 301 }, () => [(time += Math.floor(random() * 3)), 0, RUNNING]);
  const run = runOf(["a"], changes);
  for (let moment = -1; moment <= time + 1; moment += 0.5) {
    assert.equal(run.find(0, moment), changes.findLastIndex(([change]) => change <= moment));
  }
});

test("a span is a record of what is known", () => {
  const run = breakfast();
  const first = { lane: 0, state: RUNNING, label: "fill", start: 0, end: 2, inferred: false };
  assert.deepEqual(run.span(0, 0, 9), first);
  assert.deepEqual(run.span(0, 2, 9), { ...first, label: "peel", start: 8, end: 9, inferred: true });
  assert.deepEqual(run.span(3, 0, 9), { ...first, lane: 3, state: SWITCHING, label: "tea", start: 2, end: 3 });
});

test("there is no span before the first, after the end and on an empty lane", () => {
  const run = breakfast();
  assert.equal(run.span(0, -1, 9), null);
  assert.equal(run.span(0, 3, 9), null);
  assert.equal(run.span(2, run.find(2, 5), 9), null);
});

test("an open span reaches to now, but not back behind its beginning, and not beyond the end of the run", () => {
  const run = runOf(["a"], [[0, 0, READY], [4, 0, RUNNING, "x"]]);
  assert.deepEqual([3, 4, 7].map((now) => run.span(0, 1, now).end), [4, 4, 7]);
  run.ended = 6;
  assert.deepEqual([5, 6, 100].map((now) => run.span(0, 1, now).end), [6, 6, 6]);
  run.ended = 3;
  assert.equal(run.span(0, 1, 100).end, 4);
  assert.equal(run.span(0, 0, 100).end, 4);
});

const readyNow = [[0, 0, READY], [1, 0, RUNNING, "x"], [2, 0, READY, "y"], [3, 0, RUNNING, "z"], [4, 0, READY]];
const labelsOf = (run) => [0, 1, 2, 3, 4].map((number) => run.span(0, number, 9).label);

test("while it is recorded, READY without a label is for the step to come", () => {
  assert.deepEqual(labelsOf(runOf(["a"], readyNow, { live: true })), ["x", "x", "y", "z", ""]);
});

test("in a saved film READY has the label that Python gave it, or none", () => {
  assert.deepEqual(labelsOf(runOf(["a"], readyNow)), ["", "x", "y", "z", ""]);
});

test("READY without a label has none when no step comes", () => {
  for (const live of [true, false]) {
    assert.equal(runOf(["a"], [[0, 0, READY], [3, 0, OVER]], { live }).span(0, 0, 9).label, "");
    const others = runOf(["a", "b"], [[0, 1, RUNNING, "of b"], [0, 0, READY], [3, 0, OVER]], { live });
    assert.equal(others.span(0, 0, 9).label, "");
  }
});

test("no other state borrows a label", () => {
  const changes = [[0, 0, WAITING], [1, 0, RUNNING, "x"], [2, 0, IDLING], [3, 0, RUNNING, "y"]];
  const run = runOf(["a"], changes, { live: true });
  assert.deepEqual([0, 2].map((number) => run.span(0, number, 9).label), ["", ""]);
});

test("the state at a moment: nothing before the first change and from the end of the run on", () => {
  const run = runOf(["a"], [[1, 0, RUNNING], [2, 0, WAITING]]);
  assert.deepEqual([0, 1 - ALMOST, 1, 2 - ALMOST, 2, 50].map((time) => run.stateAt(0, time)), [0, 0, 1, 1, 3, 3]);
  run.ended = 4;
  assert.deepEqual([2, 4 - ALMOST, 4, 50].map((time) => run.stateAt(0, time)), [WAITING, WAITING, OVER, OVER]);
});

test("a lane is done after its last change only, and at once when nothing happens on it", () => {
  const run = runOf(["a", "b"], [[0, 0, RUNNING], [1, 0, OVER], [3, 0, RUNNING], [4, 0, OVER]]);
  const outcomes = [0, 1, 2, 3, 4 - ALMOST, 4, 9].map((time) => run.outcome(0, time));
  assert.deepEqual(outcomes, ["", "", "", "", "", "done", "done"]);
  assert.deepEqual([-1, 0, 9].map((time) => run.outcome(1, time)), ["done", "done", "done"]);
});

test("a lane that still goes on has no outcome, until the end of the run cuts it off", () => {
  const run = runOf(["a"], [[0, 0, READY]]);
  assert.deepEqual([-1, 0, 9].map((time) => run.outcome(0, time)), ["", "", ""]);
  run.ended = 5;
  assert.deepEqual([0, 5 - ALMOST, 5, 9].map((time) => run.outcome(0, time)), ["", "", "unfinished", "unfinished"]);
  assert.deepEqual([run.at(4).undone, run.at(5).undone, run.at(5).done], [0, 1, 0]);
});

test("a lane may be over without being done, and then says why", () => {
  const changes = [[0, 0, RUNNING, "x"], [0, 1, RUNNING, "y"], [2, 0, OVER, "timed out"], [3, 1, OVER]];
  const run = runOf(["a", "b"], changes, { ended: 3 });
  assert.deepEqual([1, 2, 3].map((time) => run.outcome(0, time)), ["", "timed out", "timed out"]);
  const texts = [1, 2, 3].map((time) => doneText(run, time));
  assert.deepEqual(texts, ["0 of 2 done", "0 of 2 done, 1 not", "1 of 2 done, 1 not"]);
  assert.deepEqual([run.stateAt(0, 2), run.span(0, 1, 9), [...run.seen]], [OVER, null, [RUNNING, 8]]);
});

test("why a lane is over is no step to be READY for", () => {
  assert.equal(runOf(["a"], [[0, 0, READY], [3, 0, OVER, "timed out"]], { live: true }).span(0, 0, 9).label, "");
});

test("who is in which state at a moment", () => {
  const run = breakfast();
  assert.deepEqual(run.at(0), { held: [0], ready: [1], waiting: [], done: 1, undone: 0, turning: "" });
  assert.deepEqual(run.at(2), { held: [], ready: [1], waiting: [0], done: 1, undone: 0, turning: "tea" });
  assert.deepEqual(run.at(3), { held: [1], ready: [], waiting: [0], done: 1, undone: 0, turning: "" });
  assert.deepEqual(run.at(4), { held: [], ready: [], waiting: [0], done: 2, undone: 0, turning: "" });
  assert.deepEqual(run.at(9), { held: [], ready: [], waiting: [], done: 3, undone: 0, turning: "" });
  assert.deepEqual(run.at(99), run.at(9));
});

test("who only waits with the CPU in hand holds it, and a lane that is not there now is neither here nor done", () => {
  const run = runOf(["a", "b"], [[0, 0, IDLING], [0, 1, RUNNING], [1, 1, OVER], [2, 1, RUNNING]]);
  assert.deepEqual(run.at(0).held, [0, 1]);
  assert.deepEqual(run.at(1), { held: [0], ready: [], waiting: [], done: 0, undone: 0, turning: "" });
});

// --- turns

const turnsOf = (lanes, ...changes) => runOf(lanes, changes).turns();

test("the cook turns when another dish has her, not when the same one has her again", () => {
  const alone = [[0, 0, RUNNING, "x"], [1, 0, IDLING], [2, 0, RUNNING, "z"], [3, 0, WAITING], [4, 0, RUNNING, "z"]];
  assert.deepEqual(turnsOf(["a"], ...alone), [0]);
  assert.deepEqual(turnsOf(["a", "b"], [5, 1, RUNNING], [6, 1, WAITING], [1, 0, IDLING], [5, 0, WAITING]), [1, 5]);
});

test("nobody held, no turns; and turns are counted anew when more is known", () => {
  const run = runOf(["a", "b"], allReady(["a", "b"]));
  assert.deepEqual(run.turns(), []);
  run.append(rowsOf([[1, 0, RUNNING]]));
  assert.deepEqual(run.turns(), [1]);
  run.append(rowsOf([[2, 0, WAITING], [2, 1, RUNNING]]));
  assert.deepEqual(run.turns(), [1, 2]);
  assert.equal(run.turns(), run.turns());
});

test("who has the CPU for no time at all is no turn: Python does not count it either", () => {
  const changes = [[0, 0, RUNNING], [1, 1, RUNNING], [1, 1, WAITING], [2, 0, RUNNING, "x"], [3, 0, OVER]];
  assert.deepEqual(turnsOf(["a", "b"], ...changes), [0]);
});

test("a turn that takes time is one turn", () => {
  const [first, second, third, ...others] = breakfast().turns();
  assert.deepEqual([first, third, others], [0, 8, []]);
  assert.ok(second >= 2 && second <= 3);
});

test("a turn that leads to nothing is a turn: she turned to b, which needed her no more, and back", () => {
  const turning = [[1, 2, SWITCHING, "b"], [2, 2, SWITCHING, "a"], [3, 2, OVER]];
  assert.equal(turnsOf(["a", "b"], [0, 0, RUNNING], [1, 0, READY], ...turning, [3, 0, RUNNING]).length, 3);
});

test("of two that have the CPU from one moment on, the one comes first that gives it back first, as in Python", () => {
  const changes = [[0, 0, RUNNING, "x"], [0, 1, RUNNING, "y"], [1, 1, OVER], [2, 0, IDLING, "z"], [3, 0, OVER]];
  assert.equal(turnsOf(["a", "b"], ...changes).length, 2);
});

test("who gets the CPU when the run is over has not had it", () => {
  assert.deepEqual(runOf(["a"], [[0, 0, READY], [3, 0, RUNNING]], { ended: 3 }).turns(), []);
});

test("turns of all runs are moments of the common axis, each once and in order", () => {
  const changes = [[0, 0, RUNNING], [3, 0, WAITING], [3, 1, RUNNING], [4, 1, OVER], [8, 0, RUNNING], [9, 0, OVER]];
  const film = filmWith(...[10, 2].map((offset) => runOf(["a", "b"], changes, { offset, ended: 9 })));
  assert.deepEqual(film.turns(), [2, 5, 10, 13, 18]);
  assert.deepEqual(new Film().turns(), []);
});

// --- time

test("a film lasts until its last run ends, or until now", () => {
  assert.equal(new Film().duration, 0);
  assert.equal(new Film().unit, "s");
  assert.equal(filmWith(breakfast(), breakfast({ offset: 4 })).duration, 13);
  assert.equal(filmWith(breakfast({ offset: 4 }), breakfast({ offset: 1 })).duration, 13);
  const going = filmWith(breakfast({ offset: 4, ended: null }));
  assert.equal(going.duration, 13); // its latest change
  going.now = 20;
  assert.equal(going.duration, 20);
  going.runs[0].ended = 9;
  assert.equal(going.duration, 13);
});

test("the quickest message sets the clock, and it never goes back", () => {
  const clock = new Clock();
  assert.equal(clock.at(1000), 0);
  clock.heard(1, 101.5); // half a second late
  assert.equal(clock.at(102), 1.5);
  clock.heard(2, 102.1);
  assert.equal(clock.at(103), 103 - 102.1 + 2);
  clock.heard(2.5, 109); // very late: says nothing new
  assert.equal(clock.at(109), 109 - 102.1 + 2);
  assert.equal(clock.at(1), 0);
});

test("a clock that hears messages in any order and however late is never ahead, and moves on only", () => {
  const random = randomly(3);
  const ahead = 4711; // of the page's clock, against the kernel's
  const sent = Array.from({ length: 300 }, (_, number) => [number / 20, number / 20 + 0.001 + random() ** 3]);
  const clock = new Clock();
  let last = 0;
  for (const [now, heard] of sent.sort((one, other) => one[1] - other[1])) {
    clock.heard(now, ahead + heard);
    const says = clock.at(ahead + heard);
    assert.ok(says >= last && says >= now - 1e-9 && says <= heard - 0.001 + 1e-9);
    last = says;
  }
});

test("a moment in a run's own time misses no end by rounding", () => {
  const run = breakfast({ offset: 0.1, ended: 0.2 });
  for (const offset of [0, 0.1, 1 / 3, 1000.7]) {
    for (const ended of [0.2, 0.7, 1 / 7, 123.456]) {
      Object.assign(run, { offset, ended });
      assert.equal(run.stateAt(0, within(run, offset + ended)), OVER);
      assert.ok(Math.abs(within(run, offset + ended) - ended) < 1e-5);
    }
  }
});

// --- a crowd

test("how many lanes are in each state is what one finds by asking each", () => {
  const random = randomly(7);
  for (let round = 0; round < 50; round += 1) {
    const [lanes, changes] = crowdOf(random, 9);
    const run = runOf(lanes, changes, { ended: random() < 0.5 ? 6 : null });
    for (let time = -1; time < 12; time += 0.125) {
      const counts = STATES.map((_, state) => (state ? lanes.filter((_, lane) => run.stateAt(lane, time) === state).length : 0));
      assert.deepEqual(run.countsAt(time), counts, `at ${time}`);
    }
  }
});

test("counts that come in pieces, and late, are those that come at once", () => {
  const random = randomly(8);
  for (let round = 0; round < 50; round += 1) {
    const [lanes, changes] = crowdOf(random, 6);
    const { edges } = runOf(lanes, changes);
    const atOnce = new Counts();
    atOnce.add(edges);
    const inPieces = new Counts();
    for (let known = 3; known <= edges.length; known += 3 * Math.ceil(random() * 4)) inPieces.add(edges.slice(0, known));
    inPieces.add(edges);
    assert.deepEqual(inPieces.times, atOnce.times);
    for (const time of atOnce.times) assert.deepEqual(inPieces.at(time), atOnce.at(time));
  }
});

test("the mean in a pixel is that of the whole pixel, and nobody is counted after the end", () => {
  const run = runOf(["a", "b"], [[0, 0, RUNNING], [0.5, 0, OVER], [0.25, 1, WAITING]], { ended: 2.5 });
  const means = run.meanCounts(0, 1, 4, 9);
  assert.deepEqual([...means[RUNNING]], [0.5, 0, 0, 0]);
  assert.deepEqual([...means[WAITING]], [0.75, 1, 0.5, 0]);
  assert.deepEqual([...run.meanCounts(0.25, 0.25, 3, 9)[WAITING]], [1, 1, 1], "zoomed");
  assert.deepEqual([...run.meanCounts(-1, 1, 2, 9)[RUNNING]], [0, 0.5], "before the beginning");
});

test("many pixels to a span and many spans to a pixel: the time spent is the same", () => {
  const random = randomly(9);
  const [lanes, changes] = crowdOf(random, 20);
  const run = runOf(lanes, changes, { ended: 20 });
  const whole = (columns) => run.meanCounts(0, 20 / columns, columns, 20).map((means) => means.reduce((sum, mean) => sum + (mean * 20) / columns, 0));
  for (const columns of [3, 100, 1024]) {
    whole(columns).forEach((spent, state) => assert.ok(Math.abs(spent - whole(1)[state]) < ALMOST, `${columns}: ${STATES[state]}`));
  }
});

test("the lanes one asks for: part of a name, of those the first, the slowest, or those that were not done", () => {
  const lanes = Array.from({ length: 30 }, (_, lane) => `${lane % 2 ? "Odd" : "even"} ${lane}`);
  const slow = { 3: 50, 17: 40, 20: 60 };
  const run = runOf(lanes, lanes.flatMap((_, lane) => [
    [0, lane, WAITING, "a place"],
    [lane, lane, RUNNING, "ask"],
    [lane + (slow[lane] ?? 1), lane, OVER, lane === 8 ? "timed out" : ""],
  ]), { ended: 99 });
  assert.deepEqual(chosen(run, "first", ""), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.deepEqual(chosen(run, "first", " odd "), [1, 3, 5, 7, 9, 11, 13, 15, 17, 19]);
  assert.deepEqual(chosen(run, "slowest", "odd"), [1, 3, 5, 7, 9, 11, 13, 15, 17, 19], "and of equals the first");
  assert.deepEqual(chosen(run, "slowest", "").filter((lane) => lane > 9), [17, 20], "the wait for a place does not count");
  assert.deepEqual(chosen(run, "undone", ""), [8]);
  assert.deepEqual(chosen(run, "all", "odd 2"), [21, 23, 25, 27, 29]);
  assert.deepEqual(chosen(run, "all", "</script>"), []);
});
