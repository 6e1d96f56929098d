// What is said of an answer and of what came out.

import assert from "node:assert/strict";
import { test } from "node:test";

import { distance, pieces, stretches } from "../../../kitchen/views/page/compare.js";
import { fits, said } from "../../../kitchen/views/page/predict.js";

const minutes = { kind: "number", unit: "min", least: 0, options: [] };

test("how far off a number is", () => {
  const cases = [
    [38, 38, true, "That is it."],
    [37, 38, true, "Close."],
    [19, 38, false, "It is 2 times as much."],
    [76, 38, false, "You said 2 times as much."],
    [0, 38, false, "That is 38 min off."],
    [3, 0, false, "That is 3 min off."],
    [0, 0, true, "That is it."],
  ];
  for (const [answer, truth, right, remark] of cases) assert.deepEqual(distance(minutes, answer, truth), { right, remark }, `${answer} for ${truth}`);
});

test("what cannot be an answer fits no question", () => {
  const options = ["a", "b", "c"];
  for (const nonsense of [null, undefined, "1", NaN, Infinity, -1, {}, [], [0, 0, 1], [0, 1], [[1]], true]) {
    assert.ok(!fits(minutes, nonsense), `number ${nonsense}`);
    for (const kind of ["choice", "order", "drawing"]) assert.ok(!fits({ kind, options, columns: 2 }, nonsense), `${kind} ${nonsense}`);
  }
  assert.ok(fits(minutes, 0));
  assert.ok(fits({ kind: "choice", options }, 2) && !fits({ kind: "choice", options }, 3));
  assert.ok(fits({ kind: "order", options }, [2, 0, 1]));
  assert.ok(fits({ kind: "drawing", options: ["a"], columns: 2 }, [[0, 1]]) && !fits({ kind: "drawing", options: ["a"], columns: 2 }, [[0, 0]]));
});

test("an answer in words", () => {
  const options = ["`a`", "b"];
  assert.equal(said(minutes, 30), "30 min");
  assert.equal(said({ kind: "number", unit: "" }, 2.5), "2.5");
  assert.equal(said({ kind: "number", unit: "s" }, 0.05), "0.05 s"); // as it was given, and not in milliseconds
  assert.equal(said({ kind: "choice", options }, 0), "“a”");
  assert.equal(said({ kind: "order", options }, [1, 0]), "b, a");
  assert.equal(said({ kind: "drawing", options }, [[0, 1], [3, 0]]), "2 pieces painted");
});

test("of a drawing, only what was drawn or came is a piece", () => {
  assert.deepEqual(pieces([[1, 0, 3, 0]], [[1, 0, 0, 2]]), { right: 1, of: 3 });
});

test("a row of states as bars, cut where the state changes and where right changes to wrong", () => {
  assert.deepEqual(stretches([1, 1, 0, 3, 3]), [
    { from: 0, to: 2, state: 1, isOff: false },
    { from: 3, to: 5, state: 3, isOff: false },
  ]);
  assert.deepEqual(stretches([1, 1, 0], [1, 2, 2]).map(({ from, to, isOff }) => [from, to, isOff]), [[0, 1, false], [1, 2, true]]);
});
