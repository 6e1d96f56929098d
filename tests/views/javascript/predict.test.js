// What a reader's keys do to an order and to a drawing, and what becomes of the words of a question.

import assert from "node:assert/strict";
import { test } from "node:test";

import { PAINTED, marked, moved, stepped } from "../../../kitchen/views/page/predict.js";

test("an item moves by one place, and stays where there is none", () => {
  assert.deepEqual(moved([0, 1, 2], 0, 1), [1, 0, 2]);
  assert.deepEqual(moved([0, 1, 2], 2, -1), [0, 2, 1]);
  const order = [0, 1, 2];
  assert.equal(moved(order, 0, -1), order); // the very same: its button cannot be pressed
  assert.equal(moved(order, 2, 1), order);
  assert.deepEqual(order, [0, 1, 2]);
});

test("arrows walk in the grid and stay inside; other keys lead nowhere", () => {
  assert.deepEqual(stepped("ArrowRight", 0, 0, 3, 6), [0, 1]);
  assert.deepEqual(stepped("ArrowDown", 0, 2, 3, 6), [1, 2]);
  assert.deepEqual(stepped("ArrowUp", 0, 2, 3, 6), [0, 2]);
  assert.deepEqual(stepped("ArrowRight", 2, 5, 3, 6), [2, 5]);
  assert.deepEqual(stepped("Home", 1, 4, 3, 6), [1, 0]);
  assert.deepEqual(stepped("End", 1, 1, 3, 6), [1, 5]);
  assert.equal(stepped("a", 0, 0, 3, 6), null);
});

test("what stands between backticks is code", () => {
  assert.deepEqual(marked("When does `create_task` start it?"), [["When does ", false], ["create_task", true], [" start it?", false]]);
  assert.deepEqual(marked("`a` and `b"), [["a", true], [" and `b", false]]); // as in Python
  assert.deepEqual(marked("plain"), [["plain", false]]);
});

test("a drawing's numbers are the states in Python's order, after nothing", () => {
  assert.deepEqual(PAINTED, ["nothing", "running", "ready", "waiting", "idling"]);
});
