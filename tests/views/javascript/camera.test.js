// From when to when is shown, whatever a reader and a growing film do.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Camera } from "../../../kitchen/views/page/camera.js";
import { randomly } from "./helpers.js";

const near = (one, other) => assert.ok(Math.abs(one - other) < 1e-9 * Math.max(1, Math.abs(other)), `${one}, and not ${other}`);

const showing = (duration) => {
  const camera = new Camera();
  camera.fit(duration);
  return camera;
};

test("at first everything is shown, with a little room behind the end; nothing lasts as long as something", () => {
  const camera = showing(18);
  assert.deepEqual([camera.from, camera.fitted], [0, true]);
  assert.ok(camera.to > 18 && camera.to < 19);
  assert.deepEqual([new Camera().from, new Camera().to], [0, 1]);
});

test("a part of the way is a time, and back", () => {
  const camera = showing(10);
  camera.showPiece(2, 4, 10);
  for (const part of [0, 0.25, 1]) near(camera.partOf(camera.timeAt(part)), part);
  near(camera.timeAt(0), camera.from);
  near(camera.timeAt(1), camera.to);
});

test("zooming leaves what is pointed at where it is, and shows a factor less", () => {
  const camera = showing(10);
  const [size, part] = [camera.size, camera.partOf(3)];
  camera.zoom(0.5, 3, 10);
  near(camera.size, size / 2);
  near(camera.partOf(3), part);
  assert.ok(!camera.fitted);
});

test("zooming around what is out of sight is zooming around the middle", () => {
  const camera = showing(10);
  camera.showPiece(2, 4, 10);
  const middle = camera.timeAt(0.5);
  camera.zoom(0.5, 9, 10);
  near(camera.timeAt(0.5), middle);
});

test("a range is shown from edge to edge, and no more than there is", () => {
  const camera = showing(10);
  camera.show(2, 5, 10);
  assert.deepEqual([camera.from, camera.to, camera.fitted], [2, 5, false]);
  camera.show(-4, 40, 10);
  assert.equal(camera.from, 0);
  near(camera.to, 10.2);
});

test("zooming out ends at everything", () => {
  const camera = showing(10);
  const whole = camera.to;
  camera.zoom(0.1, 5, 10);
  for (let time = 0; time < 9; time += 1) camera.zoom(2, 5, 10);
  assert.deepEqual([camera.from, camera.to, camera.fitted], [0, whole, true]);
});

test("whatever one does, it shows something of what there is, and never nothing", () => {
  const random = randomly(3);
  for (let round = 0; round < 200; round += 1) {
    const duration = random() < 0.1 ? 0 : random() * 10 ** Math.floor(random() * 6);
    const camera = showing(duration);
    for (let move = 0; move < 30; move += 1) {
      const time = random() * duration;
      const moves = [
        () => camera.zoom(random() * 2.5 + 0.01, time, duration),
        () => camera.pan((random() - 0.5) * 3 * camera.size, duration),
        () => camera.bring(time, duration),
        () => camera.follow(time, duration),
        () => camera.showPiece(time, Math.min(duration, time + random()), duration),
        () => camera.show((random() - 0.5) * 3 * duration, random() * 2 * duration, duration),
        () => camera.fit(duration),
      ];
      moves[Math.floor(random() * moves.length)]();
      assert.ok(camera.from >= 0 && camera.size > 0 && camera.from <= duration, `${camera.from} to ${camera.to} of ${duration}`);
      assert.ok(camera.to <= (duration * 1.02 || 1) * (1 + 1e-9), `${camera.to} of ${duration}`);
    }
  }
});

test("a time that is brought is seen, and one that is seen moves nothing", () => {
  const camera = showing(100);
  camera.zoom(0.1, 50, 100);
  const { from } = camera;
  camera.bring(camera.timeAt(0.3), 100);
  assert.equal(camera.from, from);
  for (const time of [0, 7, 99, 100]) {
    camera.bring(time, 100);
    assert.ok(camera.sees(time), `at ${time}`);
  }
});

test("a playhead that leaves at the right comes in again at the left", () => {
  const camera = showing(100);
  camera.zoom(0.1, 0, 100);
  camera.follow(camera.to - 0.001, 100);
  assert.equal(camera.from, 0);
  const left = camera.to + 0.001;
  camera.follow(left, 100);
  assert.ok(camera.partOf(left) > 0 && camera.partOf(left) < 0.1);
});

test("an axis that shows everything has room ahead while a film grows, and so seldom changes", () => {
  const camera = showing(0);
  const seen = new Set();
  for (let duration = 0; duration < 100; duration += 0.1) {
    camera.grow(duration);
    assert.ok(camera.sees(duration));
    seen.add(camera.to);
  }
  assert.ok(seen.size < 15, `${seen.size} axes`);
});

test("an axis that the reader has chosen stays while a film grows", () => {
  const camera = showing(10);
  camera.showPiece(2, 4, 10);
  const { from, to } = camera;
  camera.grow(500);
  assert.deepEqual([camera.from, camera.to], [from, to]);
});

test("of another film everything is shown, on an axis that does not shrink; a piece stays a piece", () => {
  const camera = showing(10);
  const { to } = camera;
  camera.reach(4);
  assert.equal(camera.to, to);
  camera.reach(40);
  assert.ok(camera.to > 40);
  camera.showPiece(30, 40, 40);
  const { size } = camera;
  camera.reach(20);
  near(camera.size, size);
  assert.ok(camera.from < 20);
});
