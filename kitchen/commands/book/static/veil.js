// What comes after an unanswered question is covered, up to the next heading: a reader answers first, or says "show me".
//
// A form has `data-kitchen-question`, and `data-kitchen-answered` once there is an answer. Where no script runs nothing is
// covered, and on paper nothing is either: both are the style sheet's (book.css), and what is covered keeps its width, so
// that pictures are painted before a page is printed.
"use strict";

const shown = new Set(); // keys of questions whose reader wants to see what came out without an answer

function unanswered(block) {
  const forms = block.querySelectorAll(".kitchen-asks[data-kitchen-question]:not(.kitchen-compares, [data-kitchen-answered])");
  return [...forms].map((form) => form.dataset.kitchenQuestion).filter((key) => !shown.has(key));
}

function cover() {
  for (const section of document.querySelectorAll("article section")) {
    section.querySelector(":scope > .kitchen-veil")?.remove();
    let asked = null; // the block whose question comes first
    for (const block of section.children) {
      if (block.matches("section")) break; // the next heading
      block.classList.toggle("kitchen-veiled", Boolean(asked));
      if (!asked && unanswered(block).length) asked = block;
    }
    if (asked?.nextElementSibling?.matches(".kitchen-veiled")) asked.after(veil(asked));
  }
}

function veil(asked) {
  const panel = document.createElement("div");
  panel.className = "kitchen-veil";
  const words = document.createElement("p");
  words.textContent = "What comes next tells the answer. It is covered until you have answered.";
  const showing = (place) => () => {
    for (const key of unanswered(place)) shown.add(key);
    const next = panel.nextElementSibling;
    cover();
    next.tabIndex = -1; // the button has gone: whoever was on it reads on here
    next.style.outline = "none"; // nothing can be done there
    next.focus({ preventScroll: true });
  };
  panel.append(words, button("Show me", showing(asked)), button("Show everything on this page", showing(document)));
  return panel;
}

function button(text, press) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text;
  made.addEventListener("click", press);
  return made;
}

document.addEventListener("DOMContentLoaded", () => {
  cover();
  const watched = { subtree: true, attributes: true, attributeFilter: ["data-kitchen-answered"] };
  new MutationObserver(cover).observe(document.body, watched);
});
