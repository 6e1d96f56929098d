// Controls that one moves, and a player that follows: what was made of their values stands in the output; a kernel, where there
// is one, makes what does not.

import { hears } from "./answers.js";
import { enliven } from "./controls.js";
import { element } from "./element.js";
import { filmAt, inflated, unpacked } from "./film.js";
import { handBack, keepKeys } from "./notebook.js";

// What a page calls: brings the controls of this name to life.
export function exploreSaved(name) {
  enliven(name, Explorer);
}

class Explorer {
  constructor(root) {
    this.root = root;
    root.kitchen = this;
    const data = root.querySelector("script[type='application/json']");
    Object.assign(this, JSON.parse(data.textContent));
    this.makes = new Map(this.stored.map(([places, error]) => [places.join(), { error }]));
    this.places = this.controls.map(({ at }) => at);
    this.said = element("p", "said", { role: "status" });
    const all = this.controls.reduce((number, { values }) => number * values, 1);
    this.said.hidden = this.stored.length === all && this.stored.every(([, error]) => !error); // there is nothing to say
    root.replaceChildren(data, ...this.controls.map((control, number) => this.control(control, number)), this.said);
    keepKeys(root).addEventListener("keydown", (event) => handBack(root, event));
    const isMine = (explorer, { detail }) => detail.data.kitchen === explorer.root.dataset.kitchen;
    hears(this, "kitchen:line", (explorer, event) => isMine(explorer, event) && (explorer.hasKernel = !event.detail.gone));
    hears(this, "kitchen:told", (explorer, event) => isMine(explorer, event) && explorer.told(event.detail.said));
    root.dispatchEvent(new CustomEvent("kitchen:asks", { bubbles: true }));
  }

  control({ name, kind, words, values, at }, number) {
    const shown = element("output", "");
    const inputs = {
      slider: () => element("input", "", { type: "range", min: 0, max: values - 1, step: 1, value: at }),
      box: () => element("input", "", { type: "checkbox" }),
      list: () => element("select", "", {}, ...words.map((text, value) => element("option", "", { value }, text))),
    };
    const input = inputs[kind]();
    if (kind === "box") input.checked = at === 1;
    const place = () => (kind === "box" ? Number(input.checked) : Number(input.value));
    const say = () => {
      shown.textContent = kind === "slider" ? words[place()] : "";
      if (kind === "slider") input.setAttribute("aria-valuetext", words[place()]);
    };
    input.addEventListener("input", () => {
      this.places[number] = place();
      say();
      this.follow();
    });
    say();
    if (kind === "slider") shown.style.minWidth = `${Math.max(...words.map((text) => text.length))}ch`;
    return element("label", "", {}, element("span", "", {}, name), input, shown);
  }

  // Shows what was made of the values, or asks for it.
  async follow() {
    const key = this.places.join();
    const made = this.makes.get(key);
    if (made?.error) this.say(made.error);
    else if (made) {
      const film = made.film ?? (await this.films()).get(key);
      if (key !== this.places.join()) return; // moved on meanwhile
      this.say("");
      for (const figure of document.querySelectorAll(`[data-kitchen="${this.target}"]`)) figure.kitchen?.show(film);
    } else if (this.hasKernel) {
      this.say("The kernel is asked for these values …");
      this.root.dispatchEvent(new CustomEvent("kitchen:wanted", { bubbles: true, detail: { places: this.places } }));
    } else this.say("The picture for these values is not stored in this page: that takes a kernel. Run this cell, in JupyterLab or on Binder.");
  }

  // All that is stored, by places.
  films() {
    this.read ??= inflated(this.packed).then((bytes) => {
      const [found, good] = [new Map(), this.stored.filter(([, error]) => !error)];
      let begin = 0;
      for (const [places] of good) {
        const { film, end } = filmAt(bytes, begin);
        found.set(places.join(), film);
        begin = end;
      }
      return found;
    });
    return this.read;
  }

  async told({ places, error, packed }) {
    this.makes.set(places.join(), { error, film: error ? null : await unpacked(packed) });
    if (places.join() === this.places.join()) this.follow();
  }

  say(words) {
    this.said.textContent = words;
  }
}
