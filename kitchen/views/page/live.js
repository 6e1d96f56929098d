// What a page calls: `playSaved` by a saved player, which finds its film in the page; `render` by anywidget, for a view that is live.

import { element } from "./element.js";
import { Figure } from "./figure.js";
import { Film, unpacked } from "./film.js";
import { askedMoment } from "./share.js";

// --- in a page: a saved player --------------------------------------------------------------------------------------

const still = new Map(); // figures that are static pictures by now, and the film of each
let isAtWork = false;

// Brings every figure of this name in the page to life whose film stands in it. Each has a frame of its own, so that a page with
// many answers its reader meanwhile; and the first is the one that is nearest to what she sees.
export function playSaved(name) {
  for (const root of document.querySelectorAll(`[data-kitchen="${name}"]`)) {
    const saved = root.querySelector('script[type="application/json"]');
    if (!root.kitchen && saved) still.set(root, saved);
  }
  if (!isAtWork) enlivenStill();
}

async function enlivenStill() {
  isAtWork = true;
  while (still.size) {
    const [root, saved] = [...still].reduce((one, other) => (away(other[0]) < away(one[0]) ? other : one));
    still.delete(root);
    await toLife(root, saved).catch(console.error); // it stays a picture
    await new Promise(requestAnimationFrame);
    // After the first picture the page itself comes, to its last word.
    if (document.readyState === "loading") await new Promise((read) => document.addEventListener("DOMContentLoaded", read, { once: true }));
  }
  isAtWork = false;
}

async function toLife(root, saved) {
  const film = await unpacked(JSON.parse(saved.textContent).packed);
  if (!root.kitchen) new Figure(root, film);
}

// How many pixels a figure is away from what is in sight. The one that the page's address asks for is the nearest.
function away(root) {
  const { top, bottom } = root.getBoundingClientRect();
  return askedMoment(root) === null ? Math.max(0, top - window.innerHeight, -bottom) : -1;
}

// --- in JupyterLab: an anywidget ------------------------------------------------------------------------------------

function render({ model, el }) {
  const root = element("figure", "");
  el.replaceChildren(root);
  const figure = new Figure(root, new Film(model.get("title")), { live: true });
  // A DataView in Jupyter; other front ends hand on what else bytes can be.
  const viewed = (bytes) => (ArrayBuffer.isView(bytes) ? new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) : new DataView(bytes));
  const hear = (news, rows) => figure.receive(news, rows.map(viewed)) || model.send({ kind: "again" });
  model.on("msg:custom", hear);
  model.on("comm:close", () => figure.finish("done"));
  model.on("comm_live_update", () => figure.finish("lost"));
  return () => figure.close();
}

export default { render };
