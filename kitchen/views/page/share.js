// What a reader takes along: the picture as she sees it, and a link that opens the page at this very moment.

import { fitted } from "./ink.js";

const EDGE_PIXELS = 12; // pixels, like everything here
const LINE_PIXELS = 20;

// Title, lanes as they are in sight, axis and legend on one canvas, in the colours and at the resolution of the screen.
export function imageOf({ root, view, lanes, axis, head, legend, visible, playhead, film }) {
  const { ink, whole, ratio } = view;
  const entries = [...legend.list.children].filter((entry) => !entry.hidden);
  const lines = [[head.name.textContent, "bold 14px"], [`${playhead.toFixed(film.unit === "s" ? 3 : 1)} ${film.unit}`, "13px"]];
  const wide = whole + 2 * EDGE_PIXELS;
  const [top, tall] = [EDGE_PIXELS + lines.length * LINE_PIXELS, visible.height + axis.height / ratio];
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d");
  const places = legendIn(context, ink, entries, whole);
  const high = top + tall + (places.at(-1)?.y ?? 0) + LINE_PIXELS + EDGE_PIXELS;
  [canvas.width, canvas.height] = [wide * ratio, high * ratio].map(Math.ceil);
  context.scale(ratio, ratio);
  context.fillStyle = getComputedStyle(root).backgroundColor;
  context.fillRect(0, 0, wide, high);
  context.textBaseline = "middle";
  lines.forEach(([text, font], at) => {
    context.font = `${font} ${ink.font}`;
    context.fillStyle = ink.text;
    context.fillText(fitted(context, text, whole), EDGE_PIXELS, EDGE_PIXELS + (at + 0.5) * LINE_PIXELS);
  });
  const seen = [0, visible.top * ratio, lanes.width, visible.height * ratio];
  context.drawImage(lanes, ...seen, EDGE_PIXELS, top, whole, visible.height);
  context.drawImage(axis, EDGE_PIXELS, top + visible.height, whole, axis.height / ratio);
  for (const { x, y, entry, text } of places) {
    const [left, middle] = [EDGE_PIXELS + x, top + tall + y + LINE_PIXELS / 2];
    const state = entry.querySelector("i") && [...legend.list.children].indexOf(entry) + 1;
    context.fillStyle = state ? ink.pattern[state] : ink.text;
    if (state) context.fillRect(left, middle - 6, 18, 12);
    context.font = `12px ${ink.font}`;
    context.fillStyle = ink.text;
    context.fillText(text, left + (state ? 23 : 0), middle);
  }
  return canvas;
}

// Where the legend's entries stand, line after line.
function legendIn(context, ink, entries, wide) {
  context.font = `12px ${ink.font}`;
  let [x, y] = [0, 0];
  return entries.map((entry) => {
    const text = entry.textContent;
    const takes = context.measureText(text).width + (entry.querySelector("i") ? 23 : 0);
    if (x && x + takes > wide) [x, y] = [0, y + LINE_PIXELS];
    const place = { x, y, entry, text };
    x += takes + 16;
    return place;
  });
}

// Puts the picture on the clipboard; where a page may not, it becomes a file. Returns what to say of it.
export async function takeImage(figure) {
  const png = new Promise((made) => imageOf(figure).toBlob(made, "image/png"));
  try {
    await navigator.clipboard.write([new ClipboardItem({ "image/png": png })]);
    return "The picture is on the clipboard.";
  } catch {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(await png);
    link.download = "kitchen.png";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    return "The picture is among your downloads: kitchen.png.";
  }
}

const figuresOf = (root) => [...root.ownerDocument.querySelectorAll("figure[data-kitchen]")];

// Whether this page has an address that one can send: a notebook's is somebody's own.
export function hasAddress(root) {
  return Boolean(root.dataset.kitchen) && !root.closest(".jp-Cell, .cell-output-ipywidget-background") && !document.querySelector("#jupyter-config-data");
}

// Writes the moment into the page's address, and copies that where a page may. Returns what to say of it.
export async function takeLink({ root, playhead }) {
  const hash = `#figure=${figuresOf(root).indexOf(root) + 1}&t=${+playhead.toFixed(4)}`;
  history.replaceState(null, "", hash);
  try {
    await navigator.clipboard.writeText(location.href);
    return "A link to this moment is on the clipboard.";
  } catch {
    return "The page's address leads to this moment now.";
  }
}

// The moment at which the page's address wants this figure; null where it says nothing of it.
export function askedMoment(root) {
  const asked = /^#figure=(\d+)&t=([\d.]+)$/.exec(location.hash);
  return asked && figuresOf(root).indexOf(root) + 1 === Number(asked[1]) ? Number(asked[2]) : null;
}
