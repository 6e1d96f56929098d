// What a film knows, and how it says it.

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
  affairs,
  chosen,
  cookText,
  crowdText,
  doneText,
  filmOf,
  lengthText,
  neighbour,
  paintLane,
  ticks,
  timeText,
  within,
} from "../../kitchen/film.js";
import { allReady, newsOf, randomly, rowsOf, runOf } from "./helpers.js";

const ALMOST = 1e-6;

// Two dishes and a third without steps; the cook turns from egg to tea in the minute from 2 to 3.
const breakfast = (rest = {}) =>
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

const filmWith = (...runs) => Object.assign(new Film("several"), { runs });

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

test("the next moment and the one before", () => {
  const moments = [1, 2, 4];
  const from = (forth) => [0, 1, 1.5, 2, 4, 5].map((time) => neighbour(moments, time, forth));
  assert.deepEqual(from(true), [1, 2, 2, 4, undefined, undefined]);
  assert.deepEqual(from(false), [undefined, undefined, 1, 1, 2, 4]);
  assert.deepEqual([true, false].map((forth) => neighbour([], 1, forth)), [undefined, undefined]);
});

test("rounding does not keep the playhead at one moment", () => {
  const moments = [0.1, 0.1 + 0.2, 0.7, 1000.1];
  assert.equal(neighbour(moments, 0.3, true), 0.7); // 0.1 + 0.2 is a little more than 0.3
  assert.equal(neighbour(moments, 0.3, false), 0.1);
  assert.equal(neighbour(moments, 1000.1 + 1e-12, false), 0.7);
  assert.equal(neighbour(moments, 1000.1 - 1e-12, true), undefined);
});

test("stepping forth meets every turn once, and so does stepping back, wherever the run begins", () => {
  const random = randomly(2);
  for (let round = 0; round < 50; round += 1) {
    let time = 0;
    const changes = Array.from({ length: 60 }, (_, at) => [(time += 1e-5 + random() / 7), at % 2, RUNNING]);
    const film = filmWith(...[99, 1].map((most) => runOf(["a", "b"], changes, { offset: random() * most })));
    const turns = film.turns();
    const met = (at, forth) => {
      const found = [];
      while ((at = neighbour(turns, at, forth)) !== undefined) found.push(at);
      return found;
    };
    assert.deepEqual(met(-1, true), turns);
    assert.deepEqual(met(1e4, false), turns.toReversed());
  }
});

// --- news

const told = [...allReady(["a", "b"]), [1, 0, RUNNING, "x"], [2, 0, WAITING, "y"], [2, 1, RUNNING, "x"], [3, 1, OVER]];
const parts = [
  newsOf(["a", "b"], told.slice(0, 2)),
  newsOf(["a", "b"], told.slice(0, 4), { from: 2, labels: [""] }),
  newsOf(["a", "b"], told, { from: 4, labels: ["", "x", "y"], ended: 5 }),
];
const hear = (film, [news, rows], now = 0) => film.receive({ runs: [news], now }, [rows]);
const facts = ({ runs }) => runs.map(({ labels, times, whats, rows, ended }) => [labels, times, whats, rows, ended]);

const whole = new Film();
hear(whole, newsOf(["a", "b"], told, { ended: 5 }));

test("news in order are the film", () => {
  const film = new Film();
  assert.deepEqual(parts.map((part) => hear(film, part)), [true, true, true]);
  assert.deepEqual(facts(film), facts(whole));
  assert.equal(film.runs[0].span(1, 1, 9).label, "x");
});

test("what is known already is dropped, in whole or in part", () => {
  const film = new Film();
  for (const part of [0, 0, 1, 0, 1, 2, 1, 2, 0]) assert.equal(hear(film, parts[part]), true);
  assert.equal(hear(film, newsOf(["a", "b"], told, { ended: 5 })), true);
  assert.deepEqual(facts(film), facts(whole));
  const half = new Film();
  hear(half, parts[0]);
  assert.equal(hear(half, newsOf(["a", "b"], told, { ended: 5 })), true);
  assert.deepEqual(facts(half), facts(whole));
});

test("an old message does not open a run again that has ended", () => {
  const film = new Film();
  for (const part of [0, 1, 2, 0]) hear(film, parts[part]);
  assert.equal(film.runs[0].ended, 5);
});

test("after a gap nothing is taken until everything is told again", () => {
  const film = new Film();
  assert.deepEqual([0, 2].map((part) => hear(film, parts[part])), [true, false]);
  assert.deepEqual([film.runs[0].rows, film.runs[0].labels, film.runs[0].ended], [2, [""], null]);
  assert.deepEqual([1, 2].map((part) => hear(film, parts[part])), [true, true]);
  assert.deepEqual(facts(film), facts(whole));
});

test("one row that is missing is missing", () => {
  const film = new Film();
  hear(film, parts[0]);
  assert.equal(hear(film, newsOf(["a", "b"], told, { from: 3, labels: [""] })), false);
  assert.equal(film.runs[0].rows, 2);
});

test("labels that are missing are missing, even if no row is", () => {
  const film = new Film();
  const [news, rows] = newsOf(["a"], [[0, 0, READY]]);
  hear(film, [news, rows]);
  assert.equal(hear(film, [{ run: 0, from: 1, labelsFrom: 2, labels: ["z"], ended: null }, rowsOf([])]), false);
  assert.deepEqual(film.runs[0].labels, [""]);
});

test("an unknown run is taken with its head only, and only as the next one", () => {
  const film = new Film();
  const [first, rows] = parts[0];
  assert.equal(hear(film, parts[1]), false);
  assert.equal(hear(film, [{ ...first, run: 1 }, rows]), false);
  assert.equal(hear(film, [{ ...first, head: undefined }, rows]), false);
  assert.equal(film.runs.length, 0);
  assert.equal(hear(film, parts[0]), true);
  assert.equal(hear(film, [{ ...first, run: 2 }, rows]), false);
  assert.equal(hear(film, [{ ...first, run: 1 }, rows]), true);
  assert.equal(film.runs.length, 2);
});

test("what is missing of one run does not keep the others from being heard", () => {
  const film = new Film();
  const [[first, rows], [second, more], [third, most]] = parts;
  film.receive({ runs: [first, { ...first, run: 1 }] }, [rows, rows]);
  assert.equal(film.receive({ runs: [third, { ...second, run: 1 }] }, [most, more]), false);
  assert.deepEqual(film.runs.map((run) => run.rows), [2, 4]);
});

test("the film's time does not go back, and a head is told once", () => {
  const film = new Film();
  hear(film, parts[0], 3);
  hear(film, newsOf(["other"], told, { title: "other" }), 2);
  assert.equal(film.now, 3);
  assert.deepEqual(film.runs[0].lanes, ["a", "b"]);
});

test("a run tells its summary when it has one", () => {
  const film = new Film();
  hear(film, parts[0]);
  assert.equal(film.runs[0].summary, "");
  const [news, rows] = parts[1];
  hear(film, [{ ...news, summary: "it was long" }, rows]);
  hear(film, parts[2]);
  assert.equal(film.runs[0].summary, "it was long");
});

test("a saved film has its rows in base64", () => {
  const [news, rows] = newsOf(["a", "b"], told, { ended: 5, title: "one", unit: "min", offset: 1 });
  const saved = { title: "saved", runs: [{ ...news, rows: Buffer.from(rows.buffer).toString("base64") }] };
  const film = filmOf(saved);
  assert.deepEqual(facts(film), facts(whole));
  assert.deepEqual([film.title, film.unit, film.runs[0].offset, film.duration], ["saved", "min", 1, 6]);
  assert.deepEqual(filmOf({ title: "", runs: [] }).runs, []);
});

test("a film may have a label for every one of a million downloads", () => {
  const labels = Array.from({ length: 200_000 }, (_, number) => `label ${number}`);
  const film = new Film();
  const news = { run: 0, from: 0, labelsFrom: 0, labels, ended: null, head: { lanes: ["a"] } };
  assert.equal(hear(film, [news, rowsOf([[0, 0, RUNNING + 16 * 199_999]])]), true);
  assert.equal(film.runs[0].span(0, 0, 1).label, "label 199999");
});

// --- lanes that are added while a run goes on

// main makes a, and later b; the cook turns to a from 1 to 2.
const three = ["main", "a", "b"];
const grown = [[0, 0, RUNNING, "x"], [1, 0, WAITING, "y"], [1, 1, READY], [2, 1, RUNNING, "z"], [3, 2, WAITING, "y"]];
const pieces = [
  newsOf(["main"], grown.slice(0, 2), { live: true }),
  newsOf(["main", "a"], grown.slice(0, 4), { from: 2, labels: ["x", "y"], lanesFrom: 1, parents: { 1: 0 } }),
  newsOf(three, grown.slice(0, 4), { from: 4, labels: ["x", "y", "", "z"], lanesFrom: 2, parents: { 2: 0 } }),
  newsOf(three, grown, { from: 4, labels: ["x", "y", "", "z"], lanesFrom: 3, ended: 4 }),
];
const known = ({ runs: [run] }) => [run.lanes, run.names, run.parents, run.times, run.whats, run.labels, run.ended];

test("lanes are added behind the others, with who created them", () => {
  const film = new Film();
  assert.deepEqual(pieces.map((piece) => hear(film, piece)), [true, true, true, true]);
  const [run] = film.runs;
  assert.deepEqual([run.lanes, run.names, { ...run.parents }], [three, three, { 1: 0, 2: 0 }]);
  assert.deepEqual(run.times, [[0, 1], [1, 2], [3], []]);
  assert.deepEqual(run.span(1, 1, 9), { lane: 1, state: RUNNING, label: "z", start: 2, end: 4, inferred: false });
});

test("lanes that are known already are dropped, whatever is told again and in whatever order", () => {
  const film = new Film();
  for (const piece of [0, 1, 0, 1, 2, 1, 3, 2, 0, 3]) assert.equal(hear(film, pieces[piece]), true);
  assert.equal(hear(film, newsOf(three, grown, { live: true })), true);
  const inOrder = new Film();
  for (const piece of pieces) hear(inOrder, piece);
  assert.deepEqual(known(film), known(inOrder));
});

test("everything told again brings the lanes that were lost", () => {
  const film = new Film();
  hear(film, pieces[0]);
  assert.equal(hear(film, newsOf(three, grown, { live: true, ended: 4 })), true);
  assert.deepEqual([film.runs[0].lanes, film.runs[0].times], [three, [[0, 1], [1, 2], [3], []]]);
});

test("lanes that are missing are missing, even if no row is", () => {
  const film = new Film();
  for (const piece of [0, 1]) hear(film, pieces[piece]);
  assert.equal(hear(film, pieces[3]), false); // the message that told of b, and of nothing else, was lost
  assert.deepEqual([film.runs[0].lanes.length, film.runs[0].rows, film.runs[0].ended], [2, 4, null]);
  for (const piece of [2, 3]) assert.equal(hear(film, pieces[piece]), true);
});

test("a run may begin without any lane", () => {
  const film = new Film();
  assert.equal(hear(film, newsOf([], [], { live: true })), true);
  assert.deepEqual([film.runs[0].lanes, doneText(film.runs[0], 1), affairs(film, 1)], [[], "0 of 0 done", "At 1 s, on the CPU: nobody; 0 of 0 done."]);
  assert.equal(hear(film, newsOf(three, grown, { live: true })), true);
  assert.deepEqual(film.runs[0].lanes, three);
});

test("the cook's own lane stays behind the last", () => {
  const run = runOf(["a"], [[0, 0, RUNNING], [1, 1, SWITCHING, "a"], [2, 1, OVER]]);
  run.grow(["a", "b"], 0);
  assert.deepEqual(run.times, [[0], [], [1, 2]]);
  assert.equal(run.span(2, 0, 9).label, "a");
  assert.equal(run.at(1.5).turning, "a");
});

test("shortened names of the first lanes stay, the others have their own", () => {
  const run = runOf(["http://x/1"], [], { names: ["../1"] });
  run.grow(["http://x/2"], 1);
  assert.deepEqual([run.lanes, run.names], [["http://x/1", "http://x/2"], ["../1", "http://x/2"]]);
});

test("a lane of which nothing is known yet is not done while the run goes on", () => {
  const run = runOf(["a", "b"], [[0, 0, RUNNING]], { live: true });
  assert.deepEqual([run.outcome(1, 5), doneText(run, 5)], ["", "0 of 2 done"]);
  run.ended = 6;
  assert.equal(run.outcome(1, 6), "done");
});

test("before it begins, and while it is away, a lane is neither there nor done", () => {
  const run = runOf(["a"], [[2, 0, RUNNING, "x"], [3, 0, OVER], [5, 0, RUNNING, "y"], [6, 0, OVER]], { ended: 9 });
  assert.deepEqual([0, 2, 3, 4, 5, 6].map((time) => run.stateAt(0, time)), [OVER, RUNNING, OVER, OVER, RUNNING, OVER]);
  assert.deepEqual([0, 4, 6].map((time) => doneText(run, time)), ["0 of 1 done", "0 of 1 done", "1 of 1 done"]);
  const painted = [];
  paintLane(run, 0, { from: 0, scale: 10, width: 90, now: 9, closed: 3 }, (x, width) => painted.push([x, width]));
  assert.deepEqual(painted, [[20, 10], [50, 10]]);
});

test("findings come with the film and stay", () => {
  const film = new Film();
  const findings = [{ text: "line 7 held the loop", lane: 0, start: 0, end: 1 }, { text: "save() was never awaited" }];
  const [news, rows] = parts[0];
  hear(film, [{ ...news, findings }, rows]);
  hear(film, parts[1]);
  assert.deepEqual(film.runs[0].findings, findings);
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

// --- figures

test("ticks are at round times, one, two or five of a power of ten apart", () => {
  assert.deepEqual(ticks(0, 10, 10), { step: 1, at: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((time) => time || -0) });
  assert.deepEqual(ticks(3, 22, 10), { step: 2, at: [4, 6, 8, 10, 12, 14, 16, 18, 20, 22] });
  assert.deepEqual(ticks(3, 45, 10), { step: 5, at: [5, 10, 15, 20, 25, 30, 35, 40, 45] });
  assert.equal(ticks(0, 0.01, 10).step, 0.001);
  assert.equal(ticks(0, 1, 3).step, 0.5);
});

test("ticks lie inside, are steps apart, and are neither too many nor too few, wherever one zooms to", () => {
  const random = randomly(4);
  for (let round = 0; round < 2000; round += 1) {
    const all = 10 ** (random() * 9 - 4);
    const size = all * 10 ** (-6 * random());
    const from = (all - size) * random();
    const most = 1 + Math.floor(random() * 20);
    const { step, at } = ticks(from, from + size, most);
    const powers = [1, 2, 5].map((times) => Math.log10(step / times));
    assert.ok(powers.some((power) => Math.abs(power - Math.round(power)) < 1e-9), `steps of ${step}`);
    assert.ok(at.length <= most + 1, `${at.length} ticks where ${most} fit`);
    assert.ok(at.length >= Math.floor(most / 2.5) - 1, `${at.length} ticks where ${most} fit`);
    for (const time of at) {
      assert.ok(time >= from - step / 1000 && time <= from + size + step / 1000);
      assert.ok(Math.abs(time / step - Math.round(time / step)) < 1e-6);
    }
    at.slice(1).forEach((time, number) => assert.ok(Math.abs(time - at[number] - step) < step / 1000));
  }
});

test("a range of no length, or turned round, has one tick", () => {
  assert.deepEqual(ticks(3, 3, 10), { step: 1, at: [3] });
  assert.deepEqual(ticks(3, 2, 10), { step: 1, at: [3] });
  assert.deepEqual(ticks(0, NaN, 10), { step: 1, at: [0] });
  assert.ok(ticks(0, 10, 0).at.length >= 1);
});

test("a tick is written with the digits that it needs", () => {
  assert.deepEqual([[7, 1], [20, 10], [0.5, 0.5], [3, 0.2], [0.25, 0.05], [1, 0.001]].map((of) => timeText(...of)), [
    "7",
    "20",
    "0.5",
    "3.0",
    "0.25",
    "1.000",
  ]);
  assert.equal(timeText(3 * 0.1, 0.1), "0.3");
  assert.equal(timeText(-0, 1), "0");
});

test("two ticks never read the same, wherever one zooms to", () => {
  for (const all of [0.02, 0.3, 1.02, 22, 120, 5000]) {
    for (const zoom of [1, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6]) {
      for (const from of [0, all * 0.4, all * (1 - zoom)]) {
        const { step, at } = ticks(from, from + all * zoom, 10);
        const texts = at.map((time) => timeText(time, step));
        assert.equal(new Set(texts).size, texts.length, `${texts.join(", ")} (steps of ${step})`);
      }
    }
  }
});

test("a duration is said with three digits that count", () => {
  assert.deepEqual([0, 1, 2.3456, 99.96, 100.4, 12345].map((time) => lengthText(time, "min")), [
    "0 min",
    "1 min",
    "2.35 min",
    "100 min",
    "100 min",
    "12345 min",
  ]);
  assert.deepEqual([1, 1.2345, 61].map((time) => lengthText(time, "s")), ["1 s", "1.23 s", "61 s"]);
  assert.deepEqual([0.0123456, 0.5, 0.000012345].map((time) => lengthText(time, "s")), [
    "12.3 ms",
    "500 ms",
    "0.0123 ms",
  ]);
  assert.equal(lengthText(0, "s"), "0 ms");
  assert.equal(lengthText(-0.25, "s"), "-250 ms");
  assert.equal(lengthText(0.0004, "min"), "0.0004 min");
});

// --- painting

// What is painted, and per state and pixel how much of the pixel it takes.
const painted = (run, lane, { width, ...how }, most = 1) => {
  const bars = [];
  const taken = {};
  const all = { width, first: 0, closed: run.times[lane].length - 1, now: run.last, ...how };
  for (let first = all.first; first < all.closed; first += most) {
    const part = { ...all, first, closed: Math.min(first + most, all.closed) };
    paintLane(run, lane, part, (x, wide, state, inferred, number, share) => {
      bars.push({ x, wide, state, inferred, number, share });
      add(taken, `${state}${inferred}`, x, x + wide, share, width);
    });
  }
  return { bars, taken };
};

const add = (taken, what, left, right, share, width) => {
  const pixels = (taken[what] ??= new Float64Array(width + 2));
  for (let at = Math.floor(left); at < right; at += 1) {
    pixels[at] += share * (Math.min(right, at + 1) - Math.max(left, at));
  }
};

// The same from the spans themselves.
const wanted = (run, lane, { from, scale, width }) => {
  const taken = {};
  run.times[lane].slice(0, -1).forEach((_, number) => {
    const span = run.span(lane, number, run.last);
    if (!span) return;
    const [left, right] = [span.start, span.end].map((time) => Math.max(0, Math.min(width, (time - from) * scale)));
    if (right > left) add(taken, `${span.state}${span.inferred}`, left, right, 1, width);
  });
  return taken;
};

const near = (found, expected, says) => {
  for (const what of new Set([...Object.keys(found), ...Object.keys(expected)])) {
    const [one, other] = [found[what] ?? [], expected[what] ?? []];
    for (let at = 0; at < Math.max(one.length, other.length); at += 1) {
      const gap = Math.abs((one[at] ?? 0) - (other[at] ?? 0));
      assert.ok(gap < 1e-6, `${says}: pixel ${at} has ${one[at]} of ${what}, and should have ${other[at]}`);
    }
  }
};

const plain = { from: 0, scale: 10, width: 100 };
const bar = (x, wide, state, number, share = 1) => ({ x, wide, state, inferred: false, number, share });

test("a span that is wider than a pixel is painted as it is", () => {
  const run = runOf(["a"], [[0, 0, READY], [1, 0, RUNNING], [2.55, 0, OVER], [3, 0, WAITING], [4, 0, OVER]]);
  const bars = [bar(0, 10, READY, 0), bar(10, 15.5, RUNNING, 1), bar(30, 10, WAITING, 3)];
  assert.deepEqual(painted(run, 0, plain, 99).bars, bars);
});

test("what falls into one pixel is mixed by its shares", () => {
  const states = [[0.5, READY], [0.525, RUNNING], [0.55, READY], [0.575, RUNNING], [0.5875, OVER]];
  const run = runOf(["a"], states.map(([time, state]) => [time, 0, state]));
  const { bars } = painted(run, 0, plain, 99);
  const places = bars.map(({ x, wide, state, number }) => [x, wide, state, number]);
  assert.deepEqual(places, [[5, 1, READY, -1], [5, 1, RUNNING, -1]]);
  near([bars.map(({ share }) => share)], [[0.5, 0.375]], "shares");
});

test("what was inferred is not mixed with what was observed", () => {
  const run = runOf(["a"], [[0.5, 0, READY, "x", true], [0.525, 0, READY, "x"], [0.55, 0, OVER]]);
  assert.deepEqual(painted(run, 0, plain, 99).bars.map(({ inferred }) => inferred), [true, false]);
});

test("a thin span across the border of two pixels is shared out", () => {
  const run = runOf(["a"], [[0.775, 0, RUNNING], [0.85, 0, OVER]]);
  const { bars } = painted(run, 0, plain, 99);
  assert.deepEqual(bars.map(({ x, wide }) => [x, wide]), [[7, 1], [8, 1]]);
  near([bars.map(({ share }) => share)], [[0.25, 0.5]], "shares");
});

test("a thin span that ends at the border of a pixel leaves the next one alone", () => {
  const run = runOf(["a"], [[0.75, 0, RUNNING], [0.8, 0, OVER]]);
  assert.deepEqual(painted(run, 0, { ...plain, scale: 10 }, 99).bars, [bar(7, 1, RUNNING, -1, 0.5)]);
});

test("nothing is painted outside the window, at its borders neither", () => {
  const changes = [[0, 0, RUNNING], [1, 0, WAITING], [1.96, 0, READY], [2, 0, RUNNING], [3, 0, READY], [3.05, 0, OVER]];
  const run = runOf(["a"], changes);
  const window = { from: 2, scale: 10, width: 10 };
  assert.deepEqual(painted(run, 0, window, 99).bars, [bar(0, 10, RUNNING, 3)]);
  assert.deepEqual(painted(run, 0, { ...window, from: 0.5 }, 99).bars, [bar(0, 5, RUNNING, 0), bar(5, 5, WAITING, 1)]);
  assert.deepEqual(painted(run, 0, { ...window, from: 50 }, 99).bars, []);
  assert.deepEqual(painted(run, 0, { ...window, from: -50 }, 99).bars, []);
});

test("a thin span that the window's border cuts stays inside", () => {
  const run = runOf(["a"], [[0.96, 0, RUNNING], [1.04, 0, OVER]]);
  assert.deepEqual(painted(run, 0, { from: 0, scale: 10, width: 10 }, 99).bars.map(({ x }) => x), [9]);
  assert.deepEqual(painted(run, 0, { from: 1, scale: 10, width: 10 }, 99).bars.map(({ x }) => x), [0]);
});

test("only the spans from `first` up to `closed` are painted", () => {
  const run = runOf(["a"], [[0, 0, READY], [1, 0, RUNNING], [2, 0, READY], [3, 0, WAITING], [4, 0, OVER]]);
  const numbers = (how) => painted(run, 0, { ...plain, ...how }, 99).bars.map(({ number }) => number);
  assert.deepEqual(numbers({}), [0, 1, 2, 3]);
  assert.deepEqual(numbers({ first: 1, closed: 3 }), [1, 2]);
  assert.deepEqual(numbers({ first: 2, closed: 2 }), []);
  assert.deepEqual(numbers({ from: 2.5, first: 1 }), [2, 3]);
  assert.deepEqual(numbers({ from: 1.5, first: 3 }), [3]);
});

// A lane with many spans, wide ones and thin ones, gaps and spans of no length.
const busyLane = (random) => {
  const fine = random() < 0.3; // then times lie where pixels begin, or half way
  let time = 0;
  const changes = Array.from({ length: 2 + Math.floor(random() * 60) }, () => {
    const passes = random() < 0.1 ? 0 : 10 ** (random() * 4 - 3);
    time += fine ? Math.round(passes * 8) / 8 : passes;
    return [time, 0, Math.floor(random() * 5), "", random() < 0.2];
  });
  return runOf(["a"], changes);
};

test("every moment is painted once, in its own pixel, as a whole and bit by bit", () => {
  const random = randomly(5);
  for (let round = 0; round < 500; round += 1) {
    const run = busyLane(random);
    const from = random() < 0.3 ? 0 : Math.floor(random() * run.last * 4) / 4;
    const window = { from, scale: random() < 0.5 ? 1 : 0.5 + random() * 20, width: 1 + Math.floor(random() * 200) };
    const expected = wanted(run, 0, window);
    for (const most of [1, 7, 1000]) {
      near(painted(run, 0, window, most).taken, expected, `round ${round}, ${most} at once`);
    }
  }
});

test("a share is a part of one pixel inside the window, and never nothing", () => {
  const random = randomly(6);
  for (let round = 0; round < 500; round += 1) {
    const run = busyLane(random);
    const width = 1 + Math.floor(random() * 200);
    const scale = random() < 0.5 ? 1 : 0.5 + random() * 20;
    const { bars } = painted(run, 0, { from: run.last * random(), scale, width }, 1000);
    for (const { x, wide, state, number, share } of bars) {
      assert.ok(state !== OVER && x >= 0 && x + wide <= width + 1e-9, `round ${round}: ${x} + ${wide} of ${width}`);
      assert.ok(share > 0 && share <= 1, `round ${round}: a share of ${share}`);
      if (number < 0) assert.ok(Number.isInteger(x) && wide === 1);
      else assert.ok(wide >= 1 && share === 1 && run.state(0, number) === state);
    }
  }
});

// --- words

test("whom the cook serves", () => {
  const run = breakfast();
  assert.deepEqual([0, 2, 3, 5, 8, 9].map((time) => cookText(run, time)), [
    "egg (fill)",
    "turning to tea",
    "tea (brew)",
    "nobody",
    "egg (peel)",
    "nobody",
  ]);
});

test("whom the cook serves, without labels, idly, and several at once", () => {
  const busy = (...states) => runOf(["a", "b", "c"], states.map((state, lane) => [0, lane, ...state]));
  assert.equal(cookText(busy([RUNNING]), 1), "a");
  assert.equal(cookText(busy([IDLING]), 1), "a (only waiting)");
  assert.equal(cookText(busy([IDLING, "boil"]), 1), "a (boil, only waiting)");
  assert.equal(cookText(busy([RUNNING, "x"], [RUNNING]), 1), "a (x) and b");
  assert.equal(cookText(busy([RUNNING, "x"], [RUNNING, "y"], [RUNNING, "z"]), 1), "3 at once");
  const named = runOf(["https://long/a"], [[0, 0, RUNNING, "x"]], { names: ["..a"] });
  assert.equal(cookText(named, 1), "..a (x)");
});

test("the state of affairs of one run is a sentence", () => {
  const film = filmWith(breakfast());
  assert.equal(affairs(film, 1), "At 1 min, on the CPU: egg (fill); ready: tea; 1 of 3 done.");
  assert.equal(affairs(film, 2), "At 2 min, on the CPU: turning to tea; ready: tea; waiting: egg; 1 of 3 done.");
  assert.equal(affairs(film, 5), "At 5 min, on the CPU: nobody; waiting: egg; 2 of 3 done.");
  assert.equal(affairs(film, 9), "At 9 min, on the CPU: nobody; 3 of 3 done.");
});

test("at the very beginning it is 0, whatever makes up for rounding", () => {
  assert.equal(affairs(filmWith(breakfast()), 0), "At 0 min, on the CPU: egg (fill); ready: tea; 1 of 3 done.");
  const measured = filmWith(runOf(["a"], [[0, 0, READY]], { unit: "s", offset: 0 }));
  assert.equal(affairs(measured, 0), "At 0 ms, on the CPU: nobody; ready: a; 0 of 1 done.");
  measured.runs[0].offset = 2000.5;
  assert.equal(affairs(measured, 2000.5), "At 0 ms, on the CPU: nobody; ready: a; 0 of 1 done.");
});

test("nothing has begun before the first run has", () => {
  assert.equal(affairs(new Film(), 0), "Nothing has begun yet.");
  assert.equal(affairs(filmWith(breakfast({ offset: 3 })), 2), "Nothing has begun yet.");
});

test("four names are told, of more only how many there are", () => {
  const crowd = (number) => {
    const lanes = Array.from({ length: number }, (_, lane) => `d${lane}`);
    return filmWith(runOf(lanes, lanes.map((_, lane) => [0, lane, lane % 2 ? WAITING : READY]), { unit: "min" }));
  };
  const few = "ready: d0, d2, d4, d6; waiting: d1, d3, d5, d7; 0 of 8 done";
  assert.equal(affairs(crowd(8), 1), `At 1 min, on the CPU: nobody; ${few}.`);
  assert.equal(affairs(crowd(10), 1), "At 1 min, on the CPU: nobody; ready: 5 of 10; waiting: 5 of 10; 0 of 10 done.");
});

test("of several runs each has its sentence: one that is over says how long it took, one to come says nothing", () => {
  const film = filmWith(breakfast({ title: "first" }), breakfast({ title: "second", offset: 10 }));
  assert.equal(affairs(film, 5), "first, at 5 min, on the CPU: nobody; waiting: egg; 2 of 3 done.");
  assert.equal(
    affairs(film, 11),
    "first: over after 9 min, 3 of 3 done. second, at 1 min, on the CPU: egg (fill); ready: tea; 1 of 3 done.",
  );
  assert.equal(affairs(film, 99), "first: over after 9 min, 3 of 3 done. second: over after 9 min, 3 of 3 done.");
});

// --- a crowd

// Lanes that change their state at times of their own, told in whatever order they come.
const crowdOf = (random, number) => {
  const lanes = Array.from({ length: number }, (_, lane) => `page ${lane}`);
  const changes = lanes.flatMap((_, lane) => {
    let time = random() < 0.5 ? 0 : Math.round(random() * 8) / 4;
    return Array.from({ length: 4 }, (_, at) => [(time += Math.round(random() * 8) / 4), lane, at === 3 ? OVER : 1 + Math.floor(random() * 4)]);
  });
  return [lanes, changes];
};

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

test("what a crowd does at a moment is told in numbers that add up", () => {
  const run = runOf(
    ["a", "b", "c", "d", "e"],
    [[0, 0, RUNNING], [0, 1, READY], [0, 2, WAITING], [1, 2, OVER], [0, 3, READY], [2, 3, OVER, "timed out"], [5, 4, READY]],
  );
  assert.deepEqual(crowdText(run, 3), ["1 RUNNING", "1 READY", "0 WAITING", "1 done", "1 over, and not done", "1 not there"]);
  assert.deepEqual(crowdText(run, 0), ["1 RUNNING", "2 READY", "1 WAITING", "1 not there"]);
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
