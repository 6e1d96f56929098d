// What stands under a quiz.

import assert from "node:assert/strict";
import { test } from "node:test";

import { scoreText } from "../../../kitchen/views/page/quiz.js";

test("the score counts what is answered, and what was right at the first go", () => {
  const [open, first, second] = [{ count: 1, right: false }, { count: 1, right: true }, { count: 2, right: true }];
  assert.match(scoreText([open, open]), /^2 questions\. Choose/);
  assert.equal(scoreText([first, open, second]), "2 of 3 answered, 1 of 2 at the first go.");
  assert.equal(scoreText([first, first]), "All answered, 2 of 2 at the first go.");
});
