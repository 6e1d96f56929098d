// You are the scheduler: buttons and lanes for whom the cook serves next, and the picture of the shift. No kernel is asked.

import { enliven } from "./controls.js";
import { element } from "./element.js";
import { Figure } from "./figure.js";
import { handBack, keepKeys } from "./notebook.js";
import { Shift, asTheLoop, filmOfShift, scoreOf } from "./shift.js";
import { threeDigits } from "./words.js";

// What a page calls: brings the game of this name to life.
export function playGame(name) {
  enliven(name, Game);
}

class Game {
  constructor(root) {
    this.root = root;
    root.kitchen = this;
    const data = root.querySelector("script[type='application/json']");
    const { dishes, best, bound } = JSON.parse(data.textContent);
    Object.assign(this, { best, bound, shift: new Shift(dishes), loop: asTheLoop(dishes) });
    this.dishes = dishes.map((_, number) => this.button(() => this.serve(number)));
    this.aside = this.button(() => this.move(null));
    this.undo = this.button(() => this.shift.undo());
    this.again = this.button(() => this.shift.begin());
    this.words = element("p", "said", { role: "status" });
    const picture = element("figure", "");
    const others = element("div", "moves kitchen-others", {}, this.aside, this.undo, this.again);
    root.replaceChildren(data, element("div", "moves", {}, ...this.dishes), others, this.words, picture);
    this.figure = new Figure(picture, this.film());
    picture.addEventListener("kitchen-lane", ({ detail }) => this.act(() => this.serve(detail.lane)));
    keepKeys(root).addEventListener("keydown", (event) => handBack(root, event, true)); // it is not to begin again itself
    this.say();
  }

  button(act) {
    const made = element("button", "", { type: "button" });
    made.addEventListener("click", () => this.act(act, made));
    return made;
  }

  film() {
    return filmOfShift(this.shift, this.loop);
  }

  // Does something, unless that is refused: then it returns why.
  act(move, button) {
    const refused = move();
    this.say(refused);
    if (refused) return;
    this.figure.show(this.film());
    if (!button?.disabled) return; // a button that is disabled loses the focus
    [...this.dishes, this.aside, this.again].find((other) => !other.disabled)?.focus();
  }

  serve(number) {
    return this.shift.can(number) ? this.move(number) : `${this.shift.dishes[number].name} cannot be served now (${this.shift.doing(number)}).`;
  }

  move(number) {
    this.shift.move(number);
  }

  say(refused) {
    const { shift } = this;
    const label = (button, name, does, isPossible) => {
      button.replaceChildren(element("b", "", {}, name), does && `: ${does}`);
      button.title = does ? `${name}: ${does}` : "";
      button.disabled = !isPossible;
    };
    this.dishes.forEach((button, number) => label(button, shift.dishes[number].name, shift.doing(number), shift.can(number)));
    const until = shift.waiting.length ? `until minute ${threeDigits(shift.waiting[0].end)}` : "";
    label(this.aside, "stand aside", until, shift.can(null));
    label(this.undo, "undo", "", shift.moves.length);
    label(this.again, "start again", "", shift.moves.length);
    this.words.textContent = [refused, scoreOf(shift, this.loop, this.best, this.bound)].filter(Boolean).join(" ");
    this.figure.root.classList.toggle("kitchen-asking", !shift.over);
  }
}
