"""You are the GIL: two threads, shown line by line, and the reader chooses which of them takes the next step.

    adding = TwoThreads("seen = counter\ncounter = seen + 1", "seen = counter\ncounter = seen + 1", counter=0)
    adding  # the game: it plays in the page, with no kernel
    adding.shortest(LOST)  # "ABAB": a shortest order of steps that loses an update; None where no order does

A thread is some lines of Python, each of them one step. `NAME.acquire()` and `NAME.release()` are about a lock; what is
given as a keyword is shared; every other variable is the thread's own.
"""

import json
import re
from collections import deque
from collections.abc import Iterator
from hashlib import sha256
from html import escape
from typing import Any, NamedTuple

from kitchen.views.assets import module, style

LOST, DEADLOCK, FINE = "lost", "deadlock", "fine"  # how an order ends
ENDS = {LOST: "loses an update", DEADLOCK: "ends in a deadlock", FINE: "ends well"}
NAMES = "AB"
MOST_SITUATIONS = 5_000
LOCK = re.compile(r"(\w+)\.(acquire|release)\(\)")


class Situation(NamedTuple):
    """Where the threads stand: their next lines, their own variables, what is shared, and who holds which lock."""

    at: tuple[int, ...]
    own: tuple[dict[str, Any], ...]
    shared: dict[str, Any]
    held: dict[str, int]


class TwoThreads:
    """All that can become of two threads: every situation, and which steps lead from where to where.

    Shows itself in a notebook as the game. Raises ValueError for a line that fails, and for too many situations.
    """

    def __init__(self, a: str, b: str, **shared: Any):
        self.lines = tuple([line.strip() for line in text.strip().splitlines() if line.strip()] for text in (a, b))
        if not all(self.lines):
            raise ValueError("each thread needs a line or more")
        self.situations = [Situation((0, 0), ({}, {}), shared, {})]
        self.moves: list[list[int | None]] = []  # of each situation: where a step of A leads, where a step of B
        numbers = {repr(self.situations[0]): 0}
        while len(self.moves) < len(self.situations):
            here = self.situations[len(self.moves)]
            self.moves.append([])
            for thread in (0, 1):
                there = self._step(here, thread)
                if there and repr(there) not in numbers:
                    numbers[repr(there)] = len(self.situations)
                    self.situations.append(there)
                self.moves[-1].append(numbers[repr(there)] if there else None)
            if len(self.situations) > MOST_SITUATIONS:
                raise ValueError(f"more than {MOST_SITUATIONS} situations: give fewer lines")
        self.last = tuple(map(len, self.lines))  # where both are done
        self._serial = [self.situations[self._follow(first)].shared for first in (0, 1)]

    def _step(self, here, thread):
        """The situation after this thread's next line; None when it has none, or waits for a lock."""
        if here.at[thread] == len(self.lines[thread]):
            return None
        line, held, own, shared = self.lines[thread][here.at[thread]], dict(here.held), list(here.own), here.shared
        if about := LOCK.fullmatch(line):
            lock, what = about.groups()
            if (what == "acquire") == (lock in held):
                if what == "acquire":
                    return None
                raise ValueError(f"thread {NAMES[thread]}: `{line}`, and nobody holds it")
            held.pop(lock, None)
            if what == "acquire":
                held[lock] = thread
        else:
            names = shared | own[thread]
            try:
                exec(line, {"__builtins__": {}}, names)
            except Exception as error:
                raise ValueError(f"thread {NAMES[thread]}: `{line}` raises {type(error).__name__}: {error}") from None
            own[thread] = {name: value for name, value in names.items() if name not in shared}
            shared = {name: names[name] for name in shared}
        at = tuple(place + (number == thread) for number, place in enumerate(here.at))
        return Situation(at, tuple(own), shared, held)

    def _follow(self, first):
        """The number of the situation to which it comes when one thread does all it can, and then the other."""
        here = 0
        for thread in (first, 1 - first, first):
            while (there := self.moves[here][thread]) is not None:
                here = there
        return here

    def end(self, number: int) -> str | None:
        """How it has ended in this situation: LOST, DEADLOCK or FINE; None while somebody can take a step.

        An update is lost when the result is none that comes of one thread after the other.
        """
        if self.moves[number] != [None, None]:
            return None
        if self.situations[number].at != self.last:
            return DEADLOCK
        return FINE if self.situations[number].shared in self._serial else LOST

    def shortest(self, end: str) -> str | None:
        """A shortest order of steps that ends like this, such as "ABAB"; None when no order does."""
        orders, queue = {0: ""}, deque([0])
        while queue:
            here = queue.popleft()
            if self.end(here) == end:
                return orders[here]
            for name, there in zip(NAMES, self.moves[here], strict=True):
                if there is not None and there not in orders:
                    orders[there] = orders[here] + name
                    queue.append(there)
        return None

    def count(self, end: str) -> int:
        """In how many different orders it ends like this."""
        ways = [0] * len(self.situations)
        for number in sorted(range(len(ways)), key=lambda n: sum(self.situations[n].at), reverse=True):
            nexts = [there for there in self.moves[number] if there is not None]
            ways[number] = sum(ways[there] for there in nexts) if nexts else int(self.end(number) == end)
        return ways[0]

    def told(self, order: str) -> Iterator[str]:
        """An order of steps in words, a line for each step, and one for what comes of it."""
        here = 0
        for name in order:
            thread = NAMES.index(name)
            line = self.lines[thread][self.situations[here].at[thread]]
            here = self.moves[here][thread]
            yield f"{name}: {line}    ({self._seen(here)})"
        yield self._outcome(here)

    def _outcome(self, number):
        """What there is to say of an end."""
        waiting = [f"{NAMES[thread]} waits for {self._wanted(number, thread)}" for thread in (0, 1)]
        said = {
            DEADLOCK: "Nobody can take a step: "
            + " and ".join(text for text, thread in zip(waiting, (0, 1), strict=True) if self._wanted(number, thread)),
            LOST: f"An update is lost: {self._seen(number)}, and one after the other would give {self._due()}",
            FINE: f"All is well: {self._seen(number)}",
        }
        return said[self.end(number)] + "."

    def _wanted(self, number, thread):
        """The lock that a thread waits for; None when it waits for none."""
        at = self.situations[number].at[thread]
        waits = at < len(self.lines[thread]) and self.moves[number][thread] is None
        return LOCK.fullmatch(self.lines[thread][at]).group(1) if waits else None

    def _seen(self, number):
        """What is shared, and who holds which lock."""
        here = self.situations[number]
        values = [f"{name} = {value!r}" for name, value in here.shared.items()]
        return ", ".join(values + [f"{NAMES[thread]} has {lock}" for lock, thread in here.held.items()])

    def _due(self):
        return " or ".join(dict.fromkeys(", ".join(map(repr, serial.values())) for serial in self._serial))

    # --- how it shows itself ---

    @property
    def goal(self) -> str:
        """What the reader is to bring about: a deadlock where there can be one, or else a lost update."""
        return next((end for end in (DEADLOCK, LOST) if self.shortest(end)), FINE)

    def facts(self) -> dict[str, Any]:
        """All that the page needs to play."""
        return {
            "lines": self.lines,
            "moves": self.moves,
            "goal": self.goal,
            "shortest": self.shortest(self.goal),
            "situations": [
                {
                    "at": here.at,
                    "seen": self._seen(number),
                    "own": [", ".join(f"{name} = {value!r}" for name, value in own.items()) for own in here.own],
                    "wants": [self._wanted(number, thread) for thread in (0, 1)],
                    "end": self.end(number),
                    "said": self._outcome(number) if self.end(number) else "",
                }
                for number, here in enumerate(self.situations)
            ],
        }

    def html(self) -> str:
        """The game as a piece of HTML that needs nothing else; where no script runs, it has the shortest order, folded."""
        facts = json.dumps(self.facts(), separators=(",", ":")).replace("<", "\\u003c").replace("&", "\\u0026")
        code = "".join(
            f"<pre><b>Thread {name}</b>\n{escape(chr(10).join(lines))}</pre>\n"
            for name, lines in zip(NAMES, self.lines, strict=True)
        )
        steps = "".join(f"<li>{escape(step)}</li>\n" for step in self.told(self.shortest(self.goal)))
        return PIECE.format(
            name="g" + sha256(facts.encode()).hexdigest()[:12],
            style=style("box", "gil"),
            code=code,
            summary=f"A shortest order that {ENDS[self.goal]}",
            steps=steps,
            facts=facts,
            script=module(("element", "notebook", "gil")).strip(),
        )

    def __str__(self):
        code = "\n\n".join(f"thread {n}:\n    " + "\n    ".join(x) for n, x in zip(NAMES, self.lines, strict=True))
        return f"{code}\n\n(Run this cell: here you choose which thread takes the next step.)"

    __repr__ = __str__

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"text/html": self.html(), "text/plain": str(self)}


PIECE = """\
<div class="kitchen-box kitchen-gil" data-gil="{name}">
<style>
{style}</style>
<div class="kitchen-threads">
{code}</div>
<details><summary>{summary}</summary>
<ol>
{steps}</ol>
</details>
<script type="application/json">{facts}</script>
<script type="module">
{script}
startGil("{name}");
</script>
</div>"""
