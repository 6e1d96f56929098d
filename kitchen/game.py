"""You are the scheduler: choose whom the cook serves next, and be scored against the loop and against what nobody can beat.

`Shift` is the rules, without a page. `best` tries every order there is. `play` is the game in a notebook. There is one
difference to `simulate.cooperative`: you know what is to come, and may even stand aside while somebody is READY.
"""

from bisect import insort
from collections.abc import Iterable
from html import escape
from itertools import takewhile
from math import inf
from uuid import uuid4

from IPython.display import display
from ipywidgets import HTML, Box, Button, Layout, VBox

from kitchen import simulate
from kitchen.live import Page
from kitchen.player import Player
from kitchen.recipe import WAIT, Dish, menu
from kitchen.timeline import READY, RUNNING, WAITING, Table, Timeline, short

DONE, NOT_YET = "done", "not finished yet"
MOST, DEEPEST = 5_000, 60  # situations that `best` looks at, steps on its menu: about a second
EXACT = 1e-9  # minutes within which two sums are the same


class Shift:
    """A cook's shift, move by move. `now`: the minute; `over`: whether nobody needs her any more.

    A dish that is served has the cook until it begins a wait or ends: who always serves `ready[0]`, and rests when nobody is
    READY, plays as `simulate.cooperative`. A move that is not possible is a ValueError that says what is.
    """

    def __init__(self, dishes: Iterable[Dish]):
        self.dishes = menu(dishes)
        self.names = [dish.name for dish in self.dishes]
        self._begin([])

    def _begin(self, moves):
        """Plays these moves from minute 0: a dish's number each, None for a rest."""
        self.now, self._moves, self._turns, self._had = 0.0, [], 0, None
        self._log = []  # of every step begun: lane, state, label, from when, until when
        self._at = [0] * len(self.dishes)  # the step that each dish needs next
        self._ready = [n for n, dish in enumerate(self.dishes) if dish.steps]  # who is READY longest comes first
        self._waiting = []  # in order: until when, number of the wait, dish
        for move in moves:
            self._move(move)

    @property
    def ready(self) -> list[str]:
        """The dishes that can be served now; the first has been READY longest."""
        return [self.names[number] for number in self._ready]

    @property
    def over(self) -> bool:
        """Whether nobody needs the cook any more."""
        return not self._ready and not self._waiting

    def serve(self, name: str) -> None:
        """The cook takes this dish, and has it until it begins a wait or ends."""
        self._check(name in self.names, f"there is no {name!r} on the menu")
        number = self.names.index(name)
        self._check(number in self._ready, f"{name} cannot be served now ({self.doing(name)})")
        self._move(number)

    def rest(self) -> None:
        """The cook stands aside until the next dish becomes READY."""
        self._check(self._waiting, "no dish will become READY by waiting")
        self._move(None)

    def undo(self) -> None:
        """Takes the last move back."""
        self._check(self._moves, "there is no move to take back")
        self._begin(self._moves[:-1])

    def _move(self, number):
        self._moves.append(number)
        if number is None:
            self.now = self._waiting[0][0]
        else:
            self._ready.remove(number)
            self._turns, self._had = self._turns + (number != self._had), number
            steps = self.dishes[number].steps
            for at in range(self._at[number], len(steps)):
                state = WAITING if steps[at].kind == WAIT else RUNNING
                end = self.now + steps[at].duration
                self._log.append((number, state, steps[at].label, self.now, end))
                self._at[number] = at + 1
                if state is WAITING:
                    if at + 1 < len(steps):
                        insort(self._waiting, (end, len(self._log), number))
                    break
                self.now = end
        while self._waiting and self._waiting[0][0] <= self.now:
            self._ready.append(self._waiting.pop(0)[2])

    def doing(self, name: str) -> str:
        """What a dish is doing now; of one that is READY, what it will do when it is served."""
        number = self.names.index(name)
        if number in self._ready:
            rest = self.dishes[number].steps[self._at[number] :]
            work = list(takewhile(lambda step: step.kind != WAIT, rest))
            labels = ", ".join(step.label for step in work) or f"begin to {rest[0].label}"
            return f"{labels}, {short(sum(step.duration for step in work))} min"
        _, state, label, _, end = next((row for row in reversed(self._log) if row[0] == number), (0, None, "", 0, 0))
        return f"{label} until minute {short(end)}" if state is WAITING and end > self.now else DONE

    def _check(self, possible, otherwise):
        if not possible:
            raise ValueError(f"{otherwise}: {self._possible()}")

    def _possible(self):
        moves = [f"serve({name!r})" for name in self.ready] + ["rest()"] * bool(self._waiting)
        return f"try {' or '.join(moves or ['undo()'])}" if moves or self._moves else "nothing is to be cooked"

    @property
    def timeline(self) -> Timeline:
        """What has happened so far; when the shift is over, all of it."""
        rows = self._log
        if not self.over:  # a wait that goes on is seen up to now; who is READY has been so since its last step
            rows = [(*row[:4], min(row[4], self.now)) for row in rows]
            rows += [(n, RUNNING, self.dishes[n].steps[self._at[n]].label, self.now, self.now) for n in self._ready]
        table = Table(*(zip(*rows, strict=True) if rows else [()] * 5))
        outcomes = {} if self.over else {name: NOT_YET for name in self.names if self.doing(name) != DONE}
        return Timeline(self.names, table, gaps=READY, switches=max(self._turns - 1, 0), outcomes=outcomes, title="you")

    def score(self) -> str:
        """How well it went, in words; while the shift goes on, what is possible."""
        if not self.over:
            return f"Minute {short(self.now)}, and not over yet: {self._possible()}."
        yours, loop, found = self.timeline.makespan, simulate.cooperative(self.dishes).makespan, best(self.dishes)
        verdict = "As fast as" if abs(yours - loop) < EXACT else "Faster than" if yours < loop else "Slower than"
        orders = f"the best of all takes {short(found.timeline.makespan)}" if found else "there are too many to try"
        bound = short(simulate.lower_bound(self.dishes))  # nobody can beat it, and perhaps nobody can reach it
        figures = f"you took {short(yours)} min, and the loop {short(loop)}. Of the possible orders, {orders}"
        return f"{verdict} the loop: {figures}. The lower bound, all the work or the longest dish, is {bound}."


def best(dishes: Iterable[Dish]) -> Shift | None:
    """A shift in which everything is on the table as early as can be; None where there are too many orders to try them."""
    shift, seen, fastest = Shift(dishes), set(), [inf, []]
    bound = simulate.lower_bound(shift.dishes) + EXACT

    def go():
        ends = max((row[4] for row in shift._log), default=0.0)
        situation = (shift.now, ends, *shift._at, *sorted((end, number) for end, _, number in shift._waiting))
        if situation in seen or len(seen) > MOST or fastest[0] <= bound or ends >= fastest[0]:
            return
        seen.add(situation)
        if shift.over:
            fastest[:] = ends, shift._moves
        for move in [*shift._ready, *([None] if shift._waiting else [])]:
            shift._move(move)
            go()
            shift.undo()

    if sum(len(dish.steps) for dish in shift.dishes) > DEEPEST:
        return None
    go()
    shift._begin(fastest[1])
    return shift if len(seen) <= MOST else None


def play(dishes: Iterable[Dish]) -> None:
    """Shows the game: a button for each dish, and the picture of your shift, which follows each click, above the loop's."""
    game = _Game(Shift(dishes))
    rows = [Box(row, layout=Layout(flex_flow="row wrap")) for row in (list(game.dishes.values()), game.others)]
    words = f"(Run this cell: here you choose whom the cook serves next, {' or '.join(game.dishes)}.)"
    display(VBox([*rows, game.words, game.page])._repr_mimebundle_() | {"text/plain": words}, raw=True)
    display(game.player().bundle(game.page.target), raw=True)


class _Game:
    """What is in the page: buttons, words, and the picture, all of them as the shift says."""

    def __init__(self, shift):
        self.shift, self.loop = shift, simulate.cooperative(shift.dishes)
        self.loop.title = "the loop"
        self.page, self.words = Page(target=f"k{uuid4().hex}"), HTML()
        self.dishes = {name: self.button(lambda name=name: shift.serve(name)) for name in shift.names}
        self.others = [self.button(shift.rest), self.button(shift.undo), self.button(lambda: shift._begin([]))]
        self.say()

    def button(self, move):
        button = Button(layout=Layout(width="auto"))
        button.on_click(lambda _: self.do(move, button))
        return button

    def do(self, move, button):
        """A button was clicked, perhaps before the page heard that it is disabled by now."""
        refused = ""
        try:
            move()
        except ValueError as error:
            refused = str(error)
        self.say(refused)
        self.page.film = self.player().film()
        if button.disabled:  # it would take the keyboard's focus with it
            next(other for other in (*self.dishes.values(), *self.others[::2]) if not other.disabled).focus()

    def say(self, refused=""):
        """Brings buttons and words up to date."""
        shift, (aside, *back) = self.shift, self.others
        for name, button in self.dishes.items():
            button.description, button.disabled = f"{name}: {shift.doing(name)}", name not in shift.ready
        until = f" until minute {short(shift._waiting[0][0])}" if shift._waiting else ""
        aside.description, aside.disabled = f"stand aside{until}", not until
        for button, words in zip(back, ("undo", "start again"), strict=True):
            button.description, button.disabled = words, not shift._moves
        now = f"Minute {short(shift.now)}: {'whom does she serve?' if shift.ready else 'nobody is READY.'}"
        words = [refused, shift.score() if shift.over else now]
        self.words.value = "".join(f"<p role='status'>{escape(text)}</p>" for text in words if text)

    def player(self):
        return Player(self.shift.timeline, self.loop, title="You are the scheduler")
