// What is written into the bars, on sheets of its own: one for what has come, and one for what is still to come, since there
// the bars are faint and the words must not be.

import { mark } from "./ink.js";

export class Writing {
  constructor() {
    this.come = document.createElement("canvas").getContext("2d");
    this.ahead = document.createElement("canvas").getContext("2d");
  }

  // Empty sheets of this size.
  clear(width, height, ratio) {
    this.written = false;
    for (const sheet of [this.come, this.ahead]) {
      [sheet.canvas.width, sheet.canvas.height] = [Math.round(width * ratio), Math.round(height * ratio)];
      sheet.setTransform(ratio, 0, 0, ratio, 0, 0);
      sheet.textBaseline = "middle";
    }
  }

  // Empties a row.
  wipe(y, width, height) {
    for (const sheet of [this.come, this.ahead]) sheet.clearRect(0, y, width, height);
  }

  // Writes into a bar of a state, if there is room, and says whether it has. What has come stands on its colour without the pattern.
  write(ink, x, y, width, height, text, state) {
    if (!text) return false;
    const { come, ahead } = this;
    for (const sheet of [come, ahead]) sheet.font = `12px ${ink.font}`;
    const wide = come.measureText(text).width;
    if (wide + 8 > width) return false;
    this.written = true;
    const [left, middle] = [x + width / 2 - wide / 2, y + height / 2];
    come.fillStyle = ink.flat[state];
    come.fillRect(left - 3, middle - 8, wide + 6, 16);
    come.fillStyle = ink.over[state];
    come.fillText(text, left, middle + 0.5);
    ahead.fillStyle = ink.text;
    ahead.fillText(text, left, middle + 0.5);
    return true;
  }

  // A lane's mark in a bar: see `mark`.
  mark(ink, x, y, width, height, lane, state) {
    const size = Math.min(5, (width - 2) / 2);
    this.written = true;
    for (const [sheet, colour] of [[this.come, ink.over[state]], [this.ahead, ink.text]]) {
      sheet.fillStyle = colour;
      mark(sheet, lane, x + width / 2, y + height / 2, size);
    }
  }
}
