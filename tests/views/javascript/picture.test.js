// How a film is laid out: where its rows are, and how names are made to fit.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Film, OVER, RUNNING, WAITING } from "../../../kitchen/views/page/film.js";
import { fitted } from "../../../kitchen/views/page/ink.js";
import { cooks, layout, rowAt } from "../../../kitchen/views/page/picture.js";
import { runOf } from "./helpers.js";

const filmOf = (...sizes) => {
  const runs = sizes.map((size) => runOf(Array.from({ length: size }, (_, lane) => `d${lane}`), []));
  return Object.assign(new Film(), { runs });
};

const CROWDS = [[], [0], [1], [3], [12], [13], [100], [300], [301], [5000], [3, 3], [0, 1], [6, 6, 6], [200, 0, 200]];

test("every lane has its row, in menu order, and under them their cook; several runs have a heading each", () => {
  const kinds = (...sizes) => layout(filmOf(...sizes)).rows.map(({ kind, lane }) => (kind === "lane" ? lane : kind));
  assert.deepEqual(kinds(), []);
  assert.deepEqual(kinds(0), ["cook"]);
  assert.deepEqual(kinds(3), [0, 1, 2, "cook"]);
  assert.deepEqual(kinds(2, 1), ["heading", 0, 1, "cook", "heading", 0, "cook"]);
});

test("a row knows its run, and a cook's row the lane behind the others", () => {
  const film = filmOf(2, 1);
  const { rows } = layout(film);
  assert.deepEqual(rows.map(({ run }) => film.runs.indexOf(run)), [0, 0, 0, 0, 1, 1, 1]);
  assert.deepEqual(rows.filter(({ kind }) => kind === "cook").map(({ lane }) => lane), [2, 1]);
});

test("rows do not overlap, all lie inside, and all lanes are as high as one another", () => {
  for (const sizes of CROWDS) {
    const { rows, height, lane, every } = layout(filmOf(...sizes));
    let free = 0;
    for (const row of rows) {
      const leftOut = row.kind === "lane" && row.lane % every > 0;
      assert.ok(row.y >= free && (leftOut || row.height >= 2), `${sizes}: row at ${row.y}, free from ${free}`);
      free = row.y + row.height;
      if (row.kind === "lane") assert.equal(row.height, leftOut ? 0 : lane);
    }
    assert.ok(height >= free && height >= 60);
  }
});

test("each of several cooks stands at the lane that she works on; one alone at the first", () => {
  const run = runOf(["a", "b", "c"], [[0, 0, RUNNING], [0, 1, WAITING], [0, 2, RUNNING], [2, 0, WAITING], [3, 2, WAITING], [4, 0, OVER]], { ended: 5 });
  const film = Object.assign(new Film(), { runs: [run] });
  const plan = layout(film);
  const middles = plan.rows.map(({ y, height }) => y + height / 2);
  const at = (time) => cooks(film, { plan }, time)[0];
  assert.deepEqual(at(1).places, [middles[0]]);
  run.cooks = 2;
  assert.deepEqual(at(1).places, [middles[0], middles[2]]);
  assert.deepEqual(at(2.5).places, [middles[2]]);
  assert.deepEqual([at(2.5).idle, at(3.5).idle], [false, true]);
  assert.deepEqual(at(3.5).places, [middles[3]]); // her own row
});

test("some hundred lanes fit on a screen", () => {
  for (const number of [13, 50, 100, 200, 260]) assert.ok(layout(filmOf(number)).height <= 620, `${number} lanes`);
});

test("there is room for names in the bars where lanes are few", () => {
  const few = [[3], [12], [13], [6, 6], [7, 6]].filter((sizes) => layout(filmOf(...sizes)).few);
  assert.deepEqual(few, [[3], [12], [6, 6]]);
});

test("a row is found wherever the pointer is on it, and none beside it", () => {
  for (const sizes of CROWDS) {
    const plan = layout(filmOf(...sizes));
    for (const row of plan.rows.filter(({ height }) => height)) {
      assert.equal(rowAt(plan, row.y), row);
      assert.equal(rowAt(plan, row.y + row.height - 0.01), row);
      assert.notEqual(rowAt(plan, row.y + row.height), row);
    }
    assert.deepEqual([-1, 0, plan.height + 1].map((y) => rowAt(plan, y)), [undefined, undefined, undefined]);
  }
});

// A font in which every letter is 10 pixels wide.
const context = { measureText: (text) => ({ width: 10 * text.length }) };

test("a text that fits stays as it is", () => {
  assert.equal(fitted(context, "salad", 50), "salad");
  assert.equal(fitted(context, "", 0), "");
});

test("a text that does not fit loses its middle, and no more than it must", () => {
  assert.equal(fitted(context, "0123456789", 99), "0123…6789");
  assert.equal(fitted(context, "0123456789", 60), "012…89");
  assert.equal(fitted(context, "0123456789", 20), "0…");
  assert.equal(fitted(context, "0123456789", 3), "…");
  const url = "http://127.0.0.1:8000/page/17?delay=0.1";
  for (let width = 10; width < 10 * url.length; width += 7) {
    const text = fitted(context, url, width);
    const [head, tail] = text.split("…");
    assert.ok(url.startsWith(head) && url.endsWith(tail));
    assert.ok(10 * text.length <= width && 10 * text.length > width - 10);
  }
});

test("a cut goes through no letter that is written as two", () => {
  const text = "🍳🥚🧂🥗🍲🍞🧀🍅";
  for (let width = 10; width < 10 * text.length; width += 10) {
    assert.ok(fitted(context, text, width).isWellFormed?.() ?? true, `at ${width} pixels`);
  }
});

test("of very many lanes some are left out evenly, and the picture stays as high as a canvas can be", () => {
  const plan = layout(filmOf(20000));
  const shown = plan.rows.filter(({ kind, height }) => kind === "lane" && height);
  assert.equal(plan.every, 20);
  assert.deepEqual(shown.slice(0, 3).map(({ lane }) => lane), [0, 20, 40]);
  assert.ok(plan.height < 5000);
  assert.equal(plan.rows.filter(({ kind }) => kind === "lane").length, 20000); // they count for the cook all the same
});

test("a crowd has a chart, room to ask for lanes, and of its lanes those that are asked for", () => {
  const film = filmOf(5000);
  const plan = layout(film, () => new Set([7, 4000]));
  const shown = plan.rows.filter(({ height }) => height).map(({ kind, lane }) => (kind === "lane" ? lane : kind));
  assert.deepEqual(shown, ["chart", 7, 4000, "cook"]);
  assert.equal(plan.rows.filter(({ kind }) => kind === "lane").length, 5000);
  const [chart, first] = plan.rows.filter(({ height }) => height);
  assert.ok(plan.ask >= chart.y + chart.height && first.y >= plan.ask + 30);
  assert.ok(plan.height < 400);
  assert.equal(layout(film, () => new Set()).lane, 24, "nobody is asked for");
});

test("what is no crowd has no chart, whatever is asked for", () => {
  const { rows, crowd, ask } = layout(filmOf(300), () => new Set([1]));
  assert.deepEqual([crowd, ask, rows.length], [false, undefined, 301]);
  assert.ok(rows.every(({ height }) => height));
});

test("of several runs each has its chart, and there is one form", () => {
  const plan = layout(filmOf(200, 0, 200), () => new Set([0]));
  assert.deepEqual(plan.rows.filter(({ kind, height }) => height && kind !== "lane").map(({ kind }) => kind), [
    "heading", "chart", "cook", "heading", "cook", "heading", "chart", "cook",
  ]);
});

test("a heading loses its end", () => {
  assert.equal(fitted(context, "sync: 38 min, 2 switches", 130, true), "sync: 38 min…");
});

test("a picture that gets more lanes gets no lower, however much room there is", () => {
  for (const tall of [300, 470, 700]) {
    for (const runs of [1, 3]) {
      let before = 0;
      for (let number = 0; number <= 300 / runs; number += 1) {
        const { height } = layout(filmOf(...Array(runs).fill(number)), undefined, tall);
        assert.ok(height >= before, `${runs} times ${number} lanes in ${tall} pixels: ${height} after ${before}`);
        before = height;
      }
    }
  }
});

test("where there is less room lanes are lower, as long as they can be read", () => {
  const lane = (number, tall) => layout(filmOf(number), undefined, tall).lane;
  assert.deepEqual([lane(12, 700), lane(12, 300), lane(12, 100)], [28, 21, 18]);
  assert.ok(layout(filmOf(100), undefined, 470).height <= 470);
  assert.ok(layout(filmOf(3, 3, 3, 3), undefined, 470).height <= 520);
});

test("in a narrow picture a heading has two lines, and three on a phone", () => {
  const [wide, narrow, phone] = [0, 1, 2].map((narrow) => layout(filmOf(2, 2), undefined, 700, narrow).rows[0]);
  assert.equal(wide.kind, "heading");
  assert.ok(wide.height < narrow.height && narrow.height < phone.height);
});

test("many tasks that libraries made for themselves are one row, which opens; few are shown, and so are all if there is nothing else", () => {
  const film = filmOf(8);
  const [run] = film.runs;
  const heights = () => layout(film).rows.filter(({ height }) => height).map(({ kind, lane }) => (kind === "lane" ? lane : kind));
  run.asides = new Set([2, 3, 4]);
  assert.deepEqual(heights(), [0, 1, 2, 3, 4, 5, 6, 7, "cook"]);
  run.asides = new Set([2, 3, 4, 5]);
  assert.deepEqual(heights(), [0, 1, 6, 7, "fold", "cook"]);
  const { rows } = layout(film);
  const fold = rows.find(({ kind }) => kind === "fold");
  assert.deepEqual(rows.filter(({ under }) => under === fold).map(({ lane }) => lane), [2, 3, 4, 5]);
  run.unfolded = true;
  assert.deepEqual(heights(), [0, 1, 2, 3, 4, 5, 6, 7, "fold", "cook"]);
  run.asides = new Set(run.lanes.keys());
  assert.deepEqual(heights(), [0, 1, 2, 3, 4, 5, 6, 7, "cook"]);
});
