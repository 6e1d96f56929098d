// You are the GIL: what the page says while a reader walks through the situations.

import assert from "node:assert/strict";
import { test } from "node:test";

import { affordance, standing, walked } from "../../../kitchen/views/page/gil.js";

// Two threads that take two locks in different orders; nobody gets further than their second line.
const FACTS = {
  lines: [["x.acquire()", "y.acquire()"], ["y.acquire()"]],
  moves: [[1, 2], [3, null], [null, null], [null, null]],
  goal: "deadlock",
  shortest: "B",
  situations: [
    { at: [0, 0], wants: [null, null], end: null, said: "" },
    { at: [1, 0], wants: [null, "y"], end: null, said: "" },
    { at: [0, 1], wants: ["x", null], end: "deadlock", said: "Nobody can take a step." },
    { at: [2, 0], wants: [null, null], end: "fine", said: "All is well." },
  ],
};

test("steps lead from situation to situation, and a step that nobody can take is an error", () => {
  assert.equal(walked(FACTS, []), 0);
  assert.equal(walked(FACTS, [0, 0]), 3);
  assert.throws(() => walked(FACTS, [0, 1]), /B cannot take a step/);
});

test("a button says why it cannot be pressed", () => {
  assert.deepEqual(affordance(FACTS, 0, 0), ["A takes a step", true]);
  assert.deepEqual(affordance(FACTS, 1, 1), ["B is WAITING for y", false]);
  assert.deepEqual(affordance(FACTS, 3, 0), ["A is done", false]);
});

test("the words follow what the reader does", () => {
  assert.match(standing(FACTS, []), /Who has the GIL next/);
  assert.match(standing(FACTS, [1]), /Nobody can take a step\. You did it\. It takes 1 step/);
  assert.match(standing(FACTS, [0, 0]), /All is well\. So bring both to a standstill/);
  assert.match(standing({ ...FACTS, shortest: "" }, [1]), /You took 1 steps; 0 would do/);
  assert.match(standing({ ...FACTS, goal: "fine" }, [0, 0]), /No order breaks it/);
});
