// How a film is put into words: moments, figures and sentences.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Film, IDLING, OVER, READY, RUNNING, WAITING } from "../../../kitchen/views/page/film.js";
import { affairs, cookText, crowdText, lengthText, neighbour, ticks, timeText } from "../../../kitchen/views/page/words.js";
import { breakfast, filmWith, randomly, runOf } from "./helpers.js";

// --- figures

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

test("what a crowd does at a moment is told in numbers that add up", () => {
  const run = runOf(
    ["a", "b", "c", "d", "e"],
    [[0, 0, RUNNING], [0, 1, READY], [0, 2, WAITING], [1, 2, OVER], [0, 3, READY], [2, 3, OVER, "timed out"], [5, 4, READY]],
  );
  assert.deepEqual(crowdText(run, 3), ["1 RUNNING", "1 READY", "0 WAITING", "1 done", "1 over, and not done", "1 not there"]);
  assert.deepEqual(crowdText(run, 0), ["1 RUNNING", "2 READY", "1 WAITING", "1 not there"]);
});
