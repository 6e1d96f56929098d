// What becomes of news: rows, labels and lanes, in order and out of it, once and twice.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Film, OVER, READY, RUNNING, SWITCHING, WAITING, filmOf } from "../../../kitchen/views/page/film.js";
import { paintLane } from "../../../kitchen/views/page/plate.js";
import { affairs, doneText } from "../../../kitchen/views/page/words.js";
import { allReady, newsOf, rowsOf, runOf } from "./helpers.js";

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

test("a run tells its summary when it has one, and how many cooks there were", () => {
  const film = new Film();
  hear(film, parts[0]);
  assert.deepEqual([film.runs[0].summary, film.runs[0].cooks], ["", 1]);
  const [news, rows] = parts[1];
  hear(film, [{ ...news, summary: "it was long", cooks: 2 }, rows]);
  hear(film, parts[2]);
  assert.deepEqual([film.runs[0].summary, film.runs[0].cooks], ["it was long", 2]);
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
  assert.deepEqual([film.runs[0].lanes, doneText(film.runs[0], 1), affairs(film, 1)], [[], "0 of 0 done", "Nothing has begun yet."]);
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
