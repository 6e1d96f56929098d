// What is painted of a lane, pixel by pixel.

import assert from "node:assert/strict";
import { test } from "node:test";

import { OVER, READY, RUNNING, WAITING } from "../../../kitchen/views/page/film.js";
import { paintLane, stripsOf } from "../../../kitchen/views/page/plate.js";
import { randomly, runOf } from "./helpers.js";

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

test("where several cooks work at once each has a strip, and a dish stays in its own as long as that is free", () => {
  const bar = (lane, from, to) => [from, to - from, RUNNING, lane];
  const bars = [bar(0, 0, 30), bar(1, 10, 60), bar(0, 30, 60), bar(2, 60, 80), bar(1, 65, 80), bar(0, 70, 90)];
  assert.deepEqual(stripsOf(bars, 2), [0, 1, 0, 0, 1, 0]); // for the last there is none: the one that is free first
  assert.deepEqual(stripsOf(bars, 1), [0, 0, 0, 0, 0, 0]);
});
