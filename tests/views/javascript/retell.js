// Tells what a film says: for each line of JSON on the input, one on the output. Python compares it with what it knows.
//
// {film, moments}: a saved film's text, or what it was packed into. {messages, moments}: what a page is sent, each with its rows in base64.

import { createInterface } from "node:readline";

import { CHOICES, Film, chosen, filmOf, unpacked } from "../../../kitchen/views/page/film.js";

const received = (messages) => {
  const film = new Film();
  const answers = messages.map(({ news, rows }) => film.receive(news, rows.map(viewOf)));
  return { film, answers };
};

const whole = (saved) => (saved.packed ? unpacked(saved.packed) : filmOf(saved));

const viewOf = (base64) => {
  const bytes = Buffer.from(base64, "base64");
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
};

const toldOf = (film, moments) =>
  film.runs.map((run) => {
    const now = film.now - run.offset;
    const spansOf = (lane) => run.times[lane].map((_, number) => run.span(lane, number, now)).filter(Boolean);
    const statesAt = (time) => run.lanes.map((_, lane) => run.stateAt(lane, time));
    return {
      title: run.title,
      unit: run.unit,
      offset: run.offset,
      ended: run.ended,
      summary: run.summary,
      lanes: run.lanes,
      names: run.names,
      parents: run.parents,
      findings: run.findings,
      spans: run.lanes.flatMap((_, lane) => spansOf(lane)),
      switching: spansOf(run.lanes.length),
      outcomes: run.lanes.map((_, lane) => run.outcome(lane, Infinity)),
      turns: run.turns(),
      took: run.lanes.map((_, lane) => run.took(lane, now)),
      chosen: Object.fromEntries(Object.keys(CHOICES).map((choice) => [choice, chosen(run, choice, "", now)])),
      moments: moments.map((time) => ({ ...run.at(time), states: statesAt(time), counts: run.countsAt(time) })),
      means: [...run.meanCounts(0, (run.ended ?? now) / 7 || 1, 7, now)].map((means) => [...means]),
    };
  });

for await (const line of createInterface({ input: process.stdin })) {
  const { film: text, messages, moments = [] } = JSON.parse(line);
  const { film, answers } = messages ? received(messages) : { film: await whole(JSON.parse(text)) };
  const { title, duration } = film;
  console.log(JSON.stringify({ title, duration, answers, runs: toldOf(film, moments) }));
}
