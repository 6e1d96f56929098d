"""You are the scheduler: choose whom the cook serves next, and be scored against the loop and against what nobody can beat.

`Shift` is the rules, without a page. `best` tries every order there is. `play` is the game in a notebook. There is one
difference to `simulate.cooperative`: you know what is to come, and may even stand aside while somebody is READY.
"""

from bisect import insort
from collections.abc import Iterable
from html import escape
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
MOST, DEEPEST = 20_000, 100  # situations that `best` looks at, turns of the dishes together: a second or so
EXACT = 1e-9  # minutes within which two sums are the same


class Shift:
    """A cook's shift, move by move. `now`: the minute; `over`: whether nobody needs her any more.

    A dish is either READY (in `ready`), or WAITING, or finished. One that is served has the cook until it begins a wait or
    ends, as in `simulate.cooperative`: who always serves `ready[0]`, and rests when nobody is READY, plays as that does.
    A move that is not possible is a ValueError that says what is, and changes nothing.
    """

    def __init__(self, dishes: Iterable[Dish]):
        self.dishes = menu(dishes)
        self._begin([])

    def _begin(self, moves):
        """Plays these moves from minute 0: a dish's number each, None for a rest."""
        self.now, self._moves, self._turns, self._had = 0.0, [], 0, None
        self._log = []  # of every step begun: lane, state, label, from when, until when
        self._at = [0] * len(self.dishes)  # the step that each dish needs next
        self._ready = [
            number for number, dish in enumerate(self.dishes) if dish.steps
        ]  # who is READY longest comes first
        self._waiting = []  # in order: until when, number of the wait, dish
        for move in moves:
            self._move(move)

    @property
    def ready(self) -> list[str]:
        """The dishes that can be served now; the first has been READY longest."""
        return [self.dishes[number].name for number in self._ready]

    @property
    def over(self) -> bool:
        """Whether nobody needs the cook any more."""
        return not self._ready and not self._waiting

    def serve(self, name: str) -> None:
        """The cook takes this dish, and has it until it begins a wait or ends."""
        names = [dish.name for dish in self.dishes]
        if name not in names:
            raise ValueError(f"there is no {name!r} on the menu: it has {', '.join(names) or 'nothing'}")
        if (number := names.index(name)) not in self._ready:
            raise ValueError(f"{name} cannot be served now ({self.doing(name)}): {self._possible()}")
        self._move(number)

    def rest(self) -> None:
        """The cook stands aside until the next dish becomes READY."""
        if not self._waiting:
            raise ValueError(f"no dish will become READY by waiting: {self._possible()}")
        self._move(None)

    def undo(self) -> None:
        """Takes the last move back."""
        if not self._moves:
            raise ValueError(f"there is no move to take back: {self._possible()}")
        self._begin(self._moves[:-1])

    def _move(self, number):
        self._moves.append(number)
        if number is None:
            self.now = self._waiting[0][0]
        else:
            self._ready.remove(number)
            self._turns += number != self._had
            self._had = number
            self._work_on(number)
        while self._waiting and self._waiting[0][0] <= self.now:
            self._ready.append(self._waiting.pop(0)[2])

    def _work_on(self, number):
        steps = self.dishes[number].steps
        for step in steps[self._at[number] :]:
            end = self.now + step.duration
            state = WAITING if step.kind == WAIT else RUNNING
            self._log.append((number, state, step.label, self.now, end))
            self._at[number] += 1
            if state is WAITING:
                if self._at[number] < len(steps):
                    insort(self._waiting, (end, len(self._log), number))
                return
            self.now = end

    def doing(self, name: str) -> str:
        """What a dish is doing now; of one that is READY, what it will do when it is served."""
        number = [dish.name for dish in self.dishes].index(name)
        if number in self._ready:
            rest = self.dishes[number].steps[self._at[number] :]
            waits = (place for place, step in enumerate(rest) if step.kind == WAIT)
            work = rest[: next(waits, len(rest))]
            labels = [step.label for step in work] or [f"begin to {rest[0].label}"]
            return f"{', '.join(labels)}, {short(sum(step.duration for step in work))} min"
        _, state, label, _, end = next((row for row in reversed(self._log) if row[0] == number), (0, None, "", 0, 0))
        return f"{label} until minute {short(end)}" if state is WAITING and end > self.now else DONE

    def _possible(self):
        """What can be done instead."""
        rest = ["rest()"] if self._waiting else []
        undo = ["undo()"] if self._moves and self.over else []
        moves = " or ".join([f"serve({name!r})" for name in self.ready] + rest + undo)
        return f"try {moves}" if moves else "nothing is to be cooked"

    @property
    def timeline(self) -> Timeline:
        """What has happened so far; when the shift is over, all of it."""
        rows = self._log
        if not self.over:  # a wait that goes on is seen up to now; who is READY has been so since its last step
            rows = [(*row[:4], min(row[4], self.now)) for row in rows]
            rows += [(n, RUNNING, self.dishes[n].steps[self._at[n]].label, self.now, self.now) for n in self._ready]
        names = [dish.name for dish in self.dishes]
        return Timeline(
            names,
            Table(*(zip(*rows, strict=True) if rows else [()] * 5)),
            gaps=READY,
            switches=max(self._turns - 1, 0),
            outcomes={} if self.over else {name: NOT_YET for name in names if self.doing(name) != DONE},
            title="you",
        )

    def score(self) -> str:
        """How well it went, in words; while the shift goes on, what is possible."""
        if not self.over:
            return f"Minute {short(self.now)}, and not over yet: {self._possible()}."
        yours, loop = self.timeline.makespan, simulate.cooperative(self.dishes).makespan
        ahead, bound, found = loop - yours, simulate.lower_bound(self.dishes), best(self.dishes)
        against = (
            f"{short(abs(ahead))} min {'faster' if ahead > 0 else 'slower'} than"
            if abs(ahead) > EXACT
            else "as fast as"
        )
        orders = "There are too many orders to try them all."
        if found:
            possible = found.timeline.makespan
            is_best = yours <= possible + EXACT
            orders = f"All orders were tried: {'none is faster' if is_best else f'the best takes {short(possible)}'}."
        reached = "and you reached it" if yours <= bound + EXACT else "which need not be possible"
        return (
            f"You took {short(yours)} min, {against} the loop, which always serves who has been READY longest "
            f"({short(loop)}). {orders} Nobody can be faster than {short(bound)} (all the work, or the longest dish), {reached}."
        )


def best(dishes: Iterable[Dish]) -> Shift | None:
    """A shift in which everything is on the table as early as can be; None where there are too many orders to try them."""
    shift = Shift(dishes)
    turns = [_turns(dish) for dish in shift.dishes]
    bound, seen, fastest = simulate.lower_bound(shift.dishes), set(), [inf, ()]

    def go(now, at, order):
        """`at`: of each dish how many turns it has had, and when it can have the next one (or has been finished)."""
        left = [turns[number][had:] for number, (had, _) in enumerate(at)]
        alone = [
            (max(now, when) if rest else when) + sum(map(sum, rest)) for rest, (_, when) in zip(left, at, strict=True)
        ]
        ends = max(now + sum(work for rest in left for work, _ in rest), *alone, 0.0)  # not before, whatever the order
        if ends > fastest[0] - EXACT or (now, at) in seen or len(seen) >= MOST:
            return
        seen.add((now, at))
        if not any(left):
            fastest[:] = ends, order
        for number in sorted(range(len(at)), key=lambda number: at[number][1]):
            if left[number] and fastest[0] > bound + EXACT:
                (work, wait), (had, when) = left[number][0], at[number]
                end = max(now, when) + work
                go(end, (*at[:number], (had + 1, end + wait), *at[number + 1 :]), (*order, number))

    if sum(map(len, turns)) <= DEEPEST:
        go(0.0, ((0, 0.0),) * len(turns), ())
    if fastest[0] == inf or len(seen) >= MOST:
        return None
    for number in fastest[1]:
        while number not in shift._ready:
            shift.rest()
        shift._move(number)
    return shift


def _turns(dish):
    """A dish's turns: for each the minutes of work in it, and of the wait that it ends with."""
    turns, fresh = [], True
    for step in dish.steps:
        turns += [(0.0, 0.0)] if fresh else []
        fresh = step.kind == WAIT
        turns[-1] = (turns[-1][0], step.duration) if fresh else (turns[-1][0] + step.duration, 0.0)
    return turns


def play(dishes: Iterable[Dish]) -> None:
    """Shows the game: a button for each dish, and the picture of your shift, which follows each click, above the loop's."""
    _Game(Shift(dishes)).show()


class _Game:
    """What is in the page: buttons, words, and the picture, all of them as the shift says."""

    def __init__(self, shift):
        self.shift = shift
        self.name = f"k{uuid4().hex}"  # of the picture
        self.loop = simulate.cooperative(shift.dishes)
        self.loop.title = "the loop"
        self.page, self.words = Page(target=self.name), HTML()
        self.dishes = {dish.name: self.button(lambda name=dish.name: shift.serve(name)) for dish in shift.dishes}
        self.aside, self.undo = self.button(shift.rest), self.button(shift.undo, "undo")
        self.again = self.button(lambda: shift._begin([]), "start again")
        self.say()

    def button(self, move, words=""):
        button = Button(description=words, layout=Layout(width="auto"))
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
            next(other for other in (*self.dishes.values(), self.aside, self.again) if not other.disabled).focus()

    def say(self, refused=""):
        shift = self.shift
        for name, button in self.dishes.items():
            button.description = f"{name}: {shift.doing(name)}"
            button.disabled = name not in shift.ready
        ends = shift._waiting and f" until minute {short(shift._waiting[0][0])}"
        self.aside.description, self.aside.disabled = f"stand aside{ends or ''}", not ends
        self.undo.disabled = self.again.disabled = not shift._moves
        now = (
            f"Minute {short(shift.now)}: whom does she serve?"
            if shift.ready
            else f"Minute {short(shift.now)}: nobody is READY."
        )
        words = [refused, shift.score() if shift.over else now]
        self.words.value = "".join(f"<p role='status'>{escape(text)}</p>" for text in words if text)

    def player(self):
        return Player(self.shift.timeline, self.loop, title="You are the scheduler")

    def show(self):
        rows = [
            Box(list(row), layout=Layout(flex_flow="row wrap"))
            for row in (self.dishes.values(), (self.aside, self.undo, self.again))
        ]
        words = f"(Run this cell: here you choose whom the cook serves next, {' or '.join(self.dishes)}.)"
        display(VBox([*rows, self.words, self.page])._repr_mimebundle_() | {"text/plain": words}, raw=True)
        display(self.player().bundle(self.name), raw=True)
