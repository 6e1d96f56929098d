// What one paints with: the style sheet's colours, the patterns of the states, letters that fit, and the cook herself.

import { IDLING, READY, RUNNING, STATES, SWITCHING, WAITING } from "./film.js";

// All figures of the page that are still there: what changes for all of them must keep none of them alive.
const figures = new Set();
let listening = false;

// Has a figure restyled whenever the page's theme or the screen changes, for as long as there is that figure.
export function followThemes(figure) {
  figures.add(new WeakRef(figure));
  const restyle = () => {
    for (const each of figures) each.deref() ? each.deref().restyle() : figures.delete(each);
  };
  if (listening) return;
  listening = true;
  const watched = { attributes: true, attributeFilter: ["data-jp-theme-light", "data-theme", "class"] };
  for (const place of [document.documentElement, document.body]) new MutationObserver(restyle).observe(place, watched);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", restyle);
  window.addEventListener("resize", restyle); // also comes when the window moves to a screen of another resolution
}

// Gives a canvas a size in the page's pixels, of which the screen has `ratio` times as many; true if that is a new one.
export function sized(canvas, width, height, ratio) {
  const [columns, rows] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width === columns && canvas.height === rows) return false;
  [canvas.width, canvas.height] = [columns, rows];
  [canvas.style.width, canvas.style.height] = [`${width}px`, `${height}px`]; // lanes may have a scroll bar, the axis has none
  return true;
}

// The colours and the font that the page's style sheet gives to this figure, and the patterns made from them.
export function inkOf(root, context) {
  const style = getComputedStyle(root);
  const colour = (name) => style.getPropertyValue(`--kitchen-${name}`).trim();
  // Where a reader forces her own colours, text and paper have those.
  const ink = { font: style.fontFamily, text: style.color, paper: style.backgroundColor, faint: colour("faint"), bad: colour("bad"), edge: colour("waiting-pattern") };
  Object.assign(ink, { flat: {}, over: {}, pattern: {}, pixels: {}, flatPixel: {} });
  for (let state = RUNNING; state <= SWITCHING; state += 1) {
    const name = STATES[state].toLowerCase();
    const tile = tileOf(state, colour(name), colour(`${name}-pattern`));
    const { data } = tile.getContext("2d").getImageData(0, 0, tile.width, tile.width);
    ink.flat[state] = colour(name);
    ink.pattern[state] = context.createPattern(tile, "repeat");
    ink.pattern[state].setTransform?.(new DOMMatrix().scale(8 / tile.width));
    ink.pixels[state] = new Uint32Array(data.buffer);
    ink.flatPixel[state] = tileOf(0, colour(name), "").getContext("2d").getImageData(0, 0, 1, 1).data;
    const [red, green, blue] = ink.flatPixel[state];
    ink.over[state] = 0.3 * red + 0.59 * green + 0.11 * blue > 128 ? "#000" : "#fff"; // words on it
    ink.tile = tile.width;
  }
  return ink;
}

// A little piece of a state's pattern, 8 pixels square; null for a state that has none.
function tileOf(state, colour, over) {
  const ratio = window.devicePixelRatio || 1;
  const tile = document.createElement("canvas");
  tile.width = tile.height = Math.round(8 * ratio);
  const ink = tile.getContext("2d", { willReadFrequently: true });
  ink.scale(tile.width / 8, tile.height / 8);
  ink.fillStyle = colour;
  ink.fillRect(0, 0, 8, 8);
  ink.fillStyle = ink.strokeStyle = over;
  if (state === WAITING) for (const [x, y] of [[1, 1], [5, 5]]) ink.fillRect(x, y, 1.4, 1.4);
  if (state === READY || state === IDLING) {
    ink.lineWidth = state === READY ? 1.6 : 1;
    ink.beginPath();
    for (const shift of [-8, 0, 8]) {
      ink.moveTo(shift - 1, 9);
      ink.lineTo(shift + 9, -1);
      if (state === IDLING) {
        ink.moveTo(shift - 1, -1);
        ink.lineTo(shift + 9, 9);
      }
    }
    ink.stroke();
  }
  return tile;
}

// A text with its middle (or its end) left out where it would be wider than `width`: both ends of a URL tell something.
export function fitted(context, text, width, atEnd = false) {
  if (context.measureText(text).width <= width) return text;
  const letters = Array.from(text); // not text.slice: it could cut a letter in two
  let [low, high] = [0, letters.length];
  const cut = (keep) => {
    const tail = atEnd ? 0 : Math.floor(keep / 2);
    return [...letters.slice(0, keep - tail), "…", ...letters.slice(letters.length - tail)].join("");
  };
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (context.measureText(cut(middle)).width <= width) low = middle;
    else high = middle - 1;
  }
  return cut(low);
}

const MARKS = 12; // shapes; matplotlib draws the same ones: see kitchen/views/gantt.py

// The mark of lane number `lane`, by which one finds it in the cook's row where there is no room for its name. Shapes and no
// colours: these are taken by the states.
export function mark(context, lane, x, y, size) {
  const star = (points, inner, turn) =>
    Array.from({ length: 2 * points }, (_, at) => [turn + (at * 180) / points, at % 2 ? inner : 1]);
  const regular = (corners, turn) => star(corners, Math.cos(Math.PI / corners), turn);
  const ways = [null, regular(4, 45), regular(3, -90), regular(4, 0), star(4, 0.45, 0), regular(3, 90), star(5, 0.4, -90), null, star(4, 0.4, 45), regular(3, 180), regular(3, 0), star(2, 0.3, 0)];
  const shape = lane % MARKS;
  context.beginPath();
  if (!ways[shape]) context.arc(x, y, size * 0.9, 0, 2 * Math.PI);
  if (shape === 7) context.arc(x, y, size * 0.45, 0, 2 * Math.PI, true); // a ring
  for (const [degrees, out] of ways[shape] ?? []) {
    const angle = (degrees * Math.PI) / 180;
    context.lineTo(x + 1.15 * size * out * Math.cos(angle), y + 1.15 * size * out * Math.sin(angle));
  }
  context.fill();
}

// A small cook with a tall hat; she looks at the lane on her left. Aside, she is only an outline.
export function cookFigure(context, ink, x, y, idle) {
  context.save();
  context.translate(x + 13, y);
  context.lineWidth = 1.3;
  context.strokeStyle = ink.text;
  context.fillStyle = ink.paper;
  context.globalAlpha = idle ? 0.75 : 1;
  context.beginPath(); // the apron
  context.moveTo(-7, 12);
  context.quadraticCurveTo(-7, 1, 0, 1);
  context.quadraticCurveTo(7, 1, 7, 12);
  context.closePath();
  context.fillStyle = idle ? ink.paper : ink.flat[RUNNING];
  context.fill();
  context.stroke();
  context.beginPath(); // the head
  context.arc(0, -3, 4.6, 0, 2 * Math.PI);
  context.fillStyle = idle ? ink.paper : "#f6cfa9";
  context.fill();
  context.stroke();
  context.beginPath(); // the hat
  context.moveTo(-4.5, -6);
  context.lineTo(-4.5, -9);
  context.bezierCurveTo(-9, -10, -6, -16, -2.5, -14);
  context.bezierCurveTo(-1, -17, 3, -17, 3.5, -14);
  context.bezierCurveTo(8, -15, 8.5, -10, 4.5, -9);
  context.lineTo(4.5, -6);
  context.closePath();
  context.fillStyle = "#fff";
  context.fill();
  context.stroke();
  if (!idle) {
    context.beginPath(); // her arm, on the lane
    context.moveTo(-6, 6);
    context.lineTo(-13, 3);
    context.lineWidth = 2.4;
    context.stroke();
  }
  context.restore();
}
