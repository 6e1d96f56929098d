// Plays shifts: for each line of JSON on the input, a menu and moves, one on the output: how things stand before and after each move.

import { createInterface } from "node:readline";

import { Shift, asTheLoop, filmOfShift, scoreOf } from "../../../kitchen/views/page/shift.js";

const standing = (shift, loop, best, bound) => {
  const { runs } = filmOfShift(shift, loop);
  const [film] = runs;
  const lanes = shift.dishes.map((_, lane) => film.times[lane].map((_, number) => film.span(lane, number, shift.now)).filter(Boolean));
  return {
    now: shift.now,
    ready: [...shift.ready],
    over: shift.over,
    can: [null, ...shift.dishes.keys()].filter((move) => shift.can(move)),
    doing: shift.dishes.map((_, number) => shift.doing(number)),
    switches: Math.max(shift.turns - 1, 0),
    lanes,
    outcomes: shift.dishes.map((_, lane) => film.outcome(lane, shift.now)),
    summary: runs.map((run) => [run.title, run.summary, run.ended]),
    score: scoreOf(shift, loop, best, bound),
  };
};

for await (const line of createInterface({ input: process.stdin })) {
  const { dishes, moves, best = null, bound = 0 } = JSON.parse(line);
  const [shift, loop] = [new Shift(dishes), asTheLoop(dishes)];
  const told = [standing(shift, loop, best, bound)];
  for (const move of moves) {
    if (move === "undo") shift.undo();
    else shift.move(move);
    told.push(standing(shift, loop, best, bound));
  }
  console.log(JSON.stringify(told));
}
