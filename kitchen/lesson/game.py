"""You are the scheduler: choose whom the cook serves next, against the loop. Unlike the loop you know what is to come,
and may rest while somebody is READY.

`Shift` has the rules, `best` tries all orders, `play` is the game in a page, which has the same rules in JavaScript
(`views/page/shift.js`).
"""

from bisect import insort
from collections.abc import Iterable
from html import escape
from uuid import uuid4

from IPython.display import display

from kitchen import simulate
from kitchen.recipe import WAIT, Dish, menu
from kitchen.timeline import READY, RUNNING, WAITING, Table, Timeline
from kitchen.timeline.words import short
from kitchen.views import assets

MOST_SITUATIONS, MOST_STEPS = 5_000, 60  # that `best` looks at, that are on its menu: about a second


class Shift:
    """A cook's shift, move by move, from minute 0 to `now`. A move that is not possible is a ValueError that says what is.

    Who always serves `ready[0]`, and rests when nobody is READY, plays as `simulate.cooperative`.
    """

    def __init__(self, dishes: Iterable[Dish]):
        self.dishes = menu(dishes)
        self.names = [dish.name for dish in self.dishes]
        self._begin()

    def _begin(self, moves=()):  # plays these from minute 0: a dish's number each, None for a rest
        self.now, self._moves, self._turns, self._had = 0.0, [], 0, None
        self._log = []  # of every step begun: lane, state, label, from when, until when
        self._at, self._waiting = [0] * len(self.dishes), []  # dishes' next steps; until when, number of the wait, dish
        self._ready = [n for n, dish in enumerate(self.dishes) if dish.steps]  # who is READY longest comes first
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
                state, end = WAITING if steps[at].kind == WAIT else RUNNING, self.now + steps[at].duration
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
            work = rest[: next((place for place, step in enumerate(rest) if step.kind == WAIT), None)]
            labels = ", ".join(step.label for step in work) or f"begin to {rest[0].label}"
            return f"{labels}, {short(sum(step.duration for step in work))} min"
        _, state, label, _, end = next((row for row in reversed(self._log) if row[0] == number), (0, None, "", 0, 0))
        return f"{label} until minute {short(end)}" if state is WAITING and end > self.now else "done"

    def _check(self, possible, otherwise):
        if not possible:
            moves = [f"serve({name!r})" for name in self.ready] + ["rest()"] * bool(self._waiting)
            instead = f"try {' or '.join(moves or ['undo()'])}" if moves or self._moves else "nothing is to be cooked"
            raise ValueError(f"{otherwise}: {instead}")

    @property
    def timeline(self) -> Timeline:
        """What has happened so far; when the shift is over, all of it."""
        rows = self._log
        if not self.over:  # a wait that goes on is seen up to now; who is READY has been so since its last step
            rows = [(*row[:4], min(row[4], self.now)) for row in rows]
            rows += [(n, RUNNING, self.dishes[n].steps[self._at[n]].label, self.now, self.now) for n in self._ready]
        table = Table(*(zip(*rows, strict=True) if rows else [()] * 5))
        outcomes = {} if self.over else {name: "not finished yet" for name in self.names if self.doing(name) != "done"}
        return Timeline(self.names, table, gaps=READY, switches=max(self._turns - 1, 0), outcomes=outcomes, title="you")

    def score(self) -> str:
        """How well it went, in words; while the shift goes on, how things stand."""
        if not self.over:
            return f"Minute {short(self.now)}: {'whom does she serve?' if self._ready else 'nobody is READY.'}"
        yours, loop, found = self.timeline.makespan, simulate.cooperative(self.dishes).makespan, best(self.dishes)
        verdict = {0: "As fast as", -1: "Faster than", 1: "Slower than"}[(yours > loop + 1e-9) - (yours < loop - 1e-9)]
        orders = f"the best of all takes {short(found.timeline.makespan)}" if found else "there are too many to try"
        figures = f"you took {short(yours)} min, and the loop {short(loop)}. Of the possible orders, {orders}"
        bound = f"The lower bound, all the work or the longest dish, is {short(simulate.lower_bound(self.dishes))}"
        return f"{verdict} the loop: {figures}. {bound}."


def best(dishes: Iterable[Dish]) -> Shift | None:
    """A shift in which everything is on the table as early as can be; None where there are too many orders to try them."""
    shift, seen, fastest = Shift(dishes), set(), [float("inf"), []]
    bound = simulate.lower_bound(shift.dishes) + 1e-9  # two sums of the same minutes may differ by less

    def go():
        ends = max((row[4] for row in shift._log), default=0.0)
        situation = (shift.now, ends, *shift._at, *sorted((end, number) for end, _, number in shift._waiting))
        if situation not in seen and len(seen) <= MOST_SITUATIONS and fastest[0] > bound and ends < fastest[0]:
            seen.add(situation)
            if shift.over:
                fastest[:] = ends, shift._moves
            for move in [*shift._ready, *([None] if shift._waiting else [])]:
                shift._move(move)
                go()
                shift.undo()

    if sum(len(dish.steps) for dish in shift.dishes) <= MOST_STEPS:
        go()
    shift._begin(fastest[1])
    return shift if shift.over and len(seen) <= MOST_SITUATIONS else None


def play(dishes: Iterable[Dish]) -> None:
    """Shows the game: click a dish's lane, or its button, and the picture of your shift follows; no kernel is asked.

    The loop's own shift is covered until everything is on the table.
    """
    shift = Shift(dishes)
    found = best(shift.dishes)
    data = {
        "dishes": [
            {"name": dish.name, "steps": [[step.kind, step.label, step.duration] for step in dish.steps]}
            for dish in shift.dishes
        ],
        "best": found.timeline.makespan if found else None,
        "bound": simulate.lower_bound(shift.dishes),
    }
    name = f"k{uuid4().hex[:16]}"
    names = " or ".join(shift.names)
    words = f"You are the scheduler: where scripts run, you choose here whom the cook serves next, {names}."
    html = (
        f'<div class="kitchen-box kitchen-plays" data-kitchen="{name}">\n<p>{escape(words)}</p>\n'
        f"{assets.data(data)}{assets.begin('playGame', name)}</div>"
    )
    display({"text/html": html, "text/plain": words}, raw=True)
