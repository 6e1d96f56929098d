"""Notebook 08, the break-it lab: pictures that nobody explains, two programs that come broken, and closing time.

More than 400 lines: a judge tells a dozen wrong answers apart, and each has its own words.
"""

import asyncio
import inspect
import time

from kitchen import simulate
from kitchen.exercises import quizzes
from kitchen.lesson.exercise import Right, exercise
from kitchen.lesson.running import Wrong, run
from kitchen.recipe import Dish, wait, work
from kitchen.timeline import RUNNING, WAITING
from kitchen.views.player import Player

quiz = quizzes.quiz(__name__)

PATIENT_SECONDS = 1.0  # seconds that a right answer never needs, however busy the computer is


class Burnt(Exception):
    """What a dish of ours raises on purpose."""


# --- what the judges share -------------------------------------------------------------------------------------------


def _coroutine_function(answer):
    if not inspect.iscoroutinefunction(answer):
        raise Wrong("this is not a coroutine function: start it with `async def`, so that it can await")


def _lane(timeline, state, word=""):
    """The longest span in this state whose label has this word in it, None if there is none: what a verdict points at."""
    found = [span for span in timeline.spans if span.state is state and word in span.label]
    return max(found, key=lambda span: span.duration, default=None)


# --- 1. pictures without a name ---------------------------------------------------------------------------------

DIAGNOSES = {"A": "in a row", "B": "nothing", "C": "blocked", "D": "too many", "E": "executor full", "F": "hang"}
KINDS = ("blocked", "executor full", "hang", "in a row", "too many", "never awaited", "nothing")
SIGNS = {  # of each picture: what to look at
    "A": "one lane waits again and again, and the cook's row is almost empty",
    "B": "the waits overlap, and nobody is READY for long",
    "C": "one lane is RUNNING for long, and the others are READY beside it",
    "D": "twenty lanes begin to wait at the same moment, and the first answers take longest",
    "E": "the waits form a staircase, three at a time, and the cook is idle",
    "F": "two lanes wait to the very end, where they break off, and the cook's row is empty",
}


def _picture(name):
    """The picture with this name, made by the model: a Timeline whose lanes and labels give nothing away."""
    menus = {
        "A": [Dish("1", [work("work", 0.1), wait("wait", 2)] * 5)],
        "B": [Dish(str(n), [work("work", 0.1), wait("wait", 2 + n % 3), work("work", 0.1)]) for n in range(1, 6)],
        "C": [
            Dish("1", [work("work", 0.1), wait("wait", 0.2), work("work", 0.1)]),
            Dish("2", [work("work", 6)]),
            *(Dish(str(n), [work("work", 0.1), wait("wait", 2)]) for n in (3, 4)),
        ],
        "D": [Dish(str(n), [work("work", 0.01), wait("wait", 3 if n < 6 else 0.5)]) for n in range(1, 21)],
        "E": [Dish(str(n), [work("work", 0.02), wait("wait", (n + 2) // 3), work("work", 0.02)]) for n in range(1, 10)],
        "F": [Dish(n, [work("work", 0.1), wait("wait", 0.5), work("work", 0.1), wait("wait", 7)]) for n in "12"],
    }
    timeline = simulate.cooperative(menus[name])
    timeline.title = name
    if name == "F":
        timeline.outcomes = dict.fromkeys(timeline.lanes, "cancelled")
    return timeline


def pictures(names: str = "ABCDEF") -> Player:
    """The pictures of exercise 1 with these names, under each other."""
    return Player(*map(_picture, names), title="What is wrong with each?")


@exercise(
    stub='diagnoses = ...  # {"A": …, "B": …, "C": …, "D": …, "E": …, "F": …}',
    solution="""
    diagnoses = {
        "A": "in a row",
        "B": "nothing",
        "C": "blocked",
        "D": "too many",
        "E": "executor full",
        "F": "hang",
    }
    """,
    hints=[
        "Look at the cook's row first. Where is it full, and where is it almost empty?",
        "In which picture is somebody READY for long? Who is RUNNING at that moment?",
        "Count the lanes that wait at the same moment: never more than one in A, a few in B, twenty in D.",
        "In which picture do the waits end in groups? In which do they not end at all, but break off?",
    ],
)
def diagnoses(answer):
    """Say what is wrong in each of the pictures A to F: a dict with one of the seven words for each."""
    if not isinstance(answer, dict):
        raise Wrong(f"this is {_cut(answer)}, not a dict from the names of the pictures to diagnoses")
    if missing := [name for name in DIAGNOSES if name not in answer]:
        raise Wrong(f"there is no diagnosis for picture {missing[0]}")
    for name, right in DIAGNOSES.items():
        said, timeline = answer[name], _picture(name)
        if said not in KINDS:
            raise Wrong(f"picture {name}: {_cut(said)} is not one of {', '.join(KINDS)}", timeline)
        if said != right:
            state = RUNNING if right == "blocked" else WAITING
            raise Wrong(f"picture {name} does not show {said!r}: {SIGNS[name]}", timeline, _lane(timeline, state))
    return Right("you can read a picture that nobody explains", _picture("C"))


def _cut(value):
    text = repr(value)
    return text if len(text) < 90 else f"{text[:80]}…"


# --- 2. told to stop -------------------------------------------------------------------------------------------------


class _Pan:
    """A pan whose sauce is thick after `turns`; it counts how often it is stirred and washed."""

    def __init__(self, turns=5, burns=False):
        self.turns, self.burns = turns, burns
        self.stirred = self.asked = self.washed = 0
        self.told = None  # how often it had been stirred when its cook was told to stop

    async def stir(self):
        self.stirred += 1
        await asyncio.sleep(0.002)
        if self.burns and self.stirred == 3:
            raise Burnt("it sticks to the bottom")
        return "thick" if self.stirred >= self.turns else "thin"

    def wash(self):
        self.asked += 1
        return self._wash()

    async def _wash(self):
        await asyncio.sleep(0)
        self.washed += 1


@exercise(
    stub='''
    async def make_sauce(pan):
        """Stirs until the sauce is thick, and returns "thick"; the pan is washed, whatever happens."""
        sauce = "thin"
        while sauce != "thick":
            try:
                sauce = await pan.stir()
            except asyncio.CancelledError:
                print("not now, the sauce is not thick yet")
        await pan.wash()
        return sauce
    ''',
    solution='''
    async def make_sauce(pan):
        """Stirs until the sauce is thick, and returns "thick"; the pan is washed, whatever happens."""
        try:
            sauce = "thin"
            while sauce != "thick":
                sauce = await pan.stir()
            return sauce
        finally:
            await pan.wash()
    ''',
    hints=[
        "Catching `CancelledError` swallows it. Which part of a `try` runs whatever happens, and catches nothing?",
        "There are three ways to the end: thick, failed, told to stop. Wash the pan once in each of them.",
        "`try:` … `finally: await pan.wash()`, around the whole loop, not inside it.",
    ],
)
def make_sauce(answer):
    """Stop when told to: wash the pan exactly once, whatever happens, and let errors and cancellation through."""
    _coroutine_function(answer)
    pans = {"thick": _Pan(), "burns": _Pan(burns=True), "told": _Pan(turns=40)}

    async def party():
        outcome = {}
        for name in ("thick", "burns"):
            task = asyncio.create_task(answer(pans[name]), name=f"sauce that {name}" if name == "burns" else "sauce")
            await asyncio.wait([task])
            outcome[name] = task
        pan = pans["told"]
        outcome["told"] = task = asyncio.create_task(answer(pan), name="sauce told to stop")
        while pan.stirred < 3 and not task.done():  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        pan.told = pan.stirred
        task.cancel()
        await asyncio.wait([task])
        await asyncio.sleep(0.02)  # an answer that has another task do the stirring goes on now
        return outcome

    ran = run(party, title="make_sauce")
    told, timeline = ran.value["told"], ran.timeline
    after = pans["told"].stirred - pans["told"].told
    span = timeline.by_lane["sauce told to stop"][-1] if timeline.by_lane.get("sauce told to stop") else None
    problem, *_ = [None if task.cancelled() else task.exception() for task in ran.value.values()]  # all are looked at
    if problem:
        raise problem
    if ran.value["thick"].cancelled():
        raise Wrong("nobody told the first sauce to stop, but its task ended as cancelled", timeline)
    if (given := ran.value["thick"].result()) != "thick":
        raise Wrong(f"undisturbed, it returned {_cut(given)}, not 'thick'", timeline)
    if not told.cancelled() and told.exception() is not None:
        raise Wrong(
            f"told to stop, it raised {type(told.exception()).__name__} instead of CancelledError", timeline, span
        )
    if not told.cancelled():
        how = f"went on and stirred {after} more times" if after > 0 else "returned as if all was well"
        raise Wrong(f"told to stop, it {how}: the cancellation was swallowed", timeline, span)
    if after > 0:
        raise Wrong(
            f"the task was cancelled, but the stirring went on for {after} more turns: a shield, or a task of its own, "
            "does not end with yours",
            timeline,
            span,
        )
    if ran.value["burns"].cancelled() or not isinstance(ran.value["burns"].exception(), Burnt):
        raise Wrong(
            "when stirring failed with Burnt, the error did not come out: the caller believes that there is sauce",
            timeline,
        )
    ways = {"thick": "the sauce was thick", "burns": "stirring failed", "told": "it was told to stop"}
    for name, words in ways.items():
        pan = pans[name]
        if pan.asked > 1:
            raise Wrong(f"when {words}, the pan was washed {pan.asked} times: once is enough", timeline)
        if pan.asked > pan.washed:
            raise Wrong(f"when {words}, you called wash, and the pan is still dirty: await it", timeline)
        if not pan.washed:
            raise Wrong(f"when {words}, the pan was never washed", timeline, span if name == "told" else None)
    return Right(
        "thick, failed or told to stop: it ended as it should, and the pan was washed once each time", timeline
    )


# --- 3. two tools each -----------------------------------------------------------------------------------------------


class _Tool(asyncio.Lock):
    """A lock with a name, which takes a moment to be taken out of its drawer; `owner`: the task that has it; `taken`: when
    that was last.
    """

    def __init__(self, name):
        super().__init__()
        self.name, self.owner, self.taken = name, None, 0.0

    async def acquire(self):
        await super().acquire()
        self.owner, self.taken = asyncio.current_task(), time.monotonic()
        try:
            for _ in range(3):
                await asyncio.sleep(0)
        except BaseException:
            self.release()
            raise
        return True

    def release(self):
        self.owner = None
        super().release()

    def __repr__(self):
        return f"<tool {self.name}>"


class _Board:
    """Work that needs two tools; notices whether it had them, and how much was going on at once."""

    def __init__(self):
        self.under_way = self.most = 0
        self.bare = []  # dishes that were made without a tool
        self.done = []
        self.alone = []  # dishes whose cook waited in vain for the other one to begin

    def work(self, dish, *tools, fails=False, meet=None):
        async def work():
            self.under_way += 1
            self.most = max(self.most, self.under_way)
            try:
                for _ in range(4):
                    if not all(tool.locked() for tool in tools):
                        self.bare.append(dish)
                    await asyncio.sleep(0.001)
                if meet is not None:
                    meet.append(dish)
                    async with asyncio.timeout(PATIENT_SECONDS / 2):
                        while len(meet) < 2:  # noqa: ASYNC110
                            await asyncio.sleep(0.002)
            except TimeoutError:
                self.alone.append(dish)
            finally:
                self.under_way -= 1
            if fails:
                raise Burnt(f"{dish} is burnt")
            self.done.append(dish)
            return f"{dish}, chopped"

        return work


@exercise(
    stub='''
    async def with_both(one, other, work):
        """What `await work()` returns, done while holding two locks; each has a `name`, and no two have the same."""
        async with one, other:
            return await work()
    ''',
    solution='''
    async def with_both(one, other, work):
        """What `await work()` returns, done while holding two locks; each has a `name`, and no two have the same."""
        first, second = sorted((one, other), key=lambda tool: tool.name)
        async with first, second:
            return await work()
    ''',
    hints=[
        "Each cook has one tool and waits for the other one. Could that happen if all took their tools in the same order?",
        "The tools come in any order: put them into one that is the same for everybody. They have names.",
        "`sorted((one, other), key=lambda tool: tool.name)` gives the two in the order of their names.",
    ],
)
def with_both(answer):
    """No deadlock: do the work while holding both tools, in whatever order they come, and let others go on meanwhile."""
    _coroutine_function(answer)
    tools = [_Tool(name) for name in ("knife", "board", "pan", "pot")]
    board, seen = _Board(), {}
    ran = run(_evening, answer, tools, board, seen, title="with_both")
    timeline, results = ran.timeline, seen["results"]
    if stuck := seen["stuck"]:
        if kept := seen["kept by who is over"]:
            raise Wrong(
                f"the {kept[0]} was never released, though its cook is done: {len(stuck)} dishes wait for it for ever",
                timeline,
                _lane(timeline, WAITING, "lock"),
            )
        if seen["still at it"]:
            raise Wrong(
                f"not done after {PATIENT_SECONDS:g} s: {len(stuck)} of {len(results)} dishes take a tool, give it "
                "back, and take it again. Giving up and starting again in step with the others gets nobody further",
                timeline,
                _lane(timeline, WAITING, "lock"),
            )
        has = "; ".join(f"{name} has the {tool}" for name, tool in seen["held"].items())
        raise Wrong(
            f"deadlock: {len(stuck)} of {len(results)} dishes wait for ever ({has}). Each waits for what another has",
            timeline,
            _lane(timeline, WAITING, "lock"),
        )
    for n, result in enumerate(results, start=1):
        if isinstance(result, BaseException):
            raise result
        if f"dish {n}" not in board.done:
            raise Wrong(f"dish {n} was given up: its work was never done, and {_cut(result)} came back", timeline)
    if board.bare:
        raise Wrong(f"{board.bare[0]} was made without holding both of its tools", timeline)
    for n, result in enumerate(results, start=1):
        if board.done.count(f"dish {n}") > 1:
            raise Wrong(f"the work of dish {n} was done {board.done.count(f'dish {n}')} times", timeline)
        if result != f"dish {n}, chopped":
            raise Wrong(f"dish {n} gave {_cut(result)}, not what its work returned", timeline)
    if kept := seen["kept"]:
        raise Wrong(f"all dishes are done, but nobody can have the {kept[0]}: it was never released", timeline)
    if kept := seen["kept by the fish"]:
        raise Wrong(
            f"when the work raised Burnt, the {kept[0]} was never released: the next cook waits for ever", timeline
        )
    if not isinstance(seen["fish"], Burnt):
        raise Wrong(f"when the work raised Burnt, {_cut(seen['fish'])} came out instead", timeline)
    if seen["apart"] < 2:
        raise Wrong(
            "two dishes that share no tool were made one after the other: one lock for everybody makes everybody wait",
            timeline,
            _lane(timeline, WAITING, "lock"),
        )
    if seen["behind"]:
        raise Wrong(
            "the salad had its tools, the soup waited for the same two, and the sauce, which shares none with them, could "
            "begin only when the salad was over: hold nothing that everybody needs while you wait for a tool",
            timeline,
            _lane(timeline, WAITING, "lock"),
        )
    return Right(
        "all dishes were made with their tools, and those that share none were made at the same time", timeline
    )


async def _evening(answer, tools, board, seen):
    """Six dishes that get into each other's way; one that burns; two that share no tool, and the same two with another one
    that waits for the first one's tools. All of it on one loop.
    """
    knife, plank, pan, pot = tools
    pairs = [(knife, plank), (plank, knife), (knife, plank), (plank, pan), (pan, pot), (pot, knife)]
    tasks = [
        asyncio.create_task(answer(one, other, board.work(f"dish {n}", one, other)), name=f"dish {n}")
        for n, (one, other) in enumerate(pairs, start=1)
    ]
    _, stuck = await asyncio.wait(tasks, timeout=PATIENT_SECONDS)
    seen["stuck"] = stuck
    seen["still at it"] = time.monotonic() - max(tool.taken for tool in tools) < PATIENT_SECONDS / 2
    seen["kept by who is over"] = [tool.name for tool in tools if tool.owner and tool.owner.done()]
    seen["held"] = {tool.owner.get_name(): tool.name for tool in tools if tool.owner}
    for task in stuck:
        task.cancel()
    seen["results"] = await asyncio.gather(*tasks, return_exceptions=True)
    seen["kept"] = [tool.name for tool in tools if tool.locked()]
    if stuck or seen["kept"]:
        return
    fish = asyncio.create_task(answer(knife, plank, board.work("fish", knife, plank, fails=True)), name="fish")
    (seen["fish"],) = await asyncio.gather(fish, return_exceptions=True)
    seen["kept by the fish"] = [tool.name for tool in tools if tool.locked()]
    if seen["kept by the fish"]:
        return
    board.most, meet = 0, []
    salad = asyncio.create_task(answer(knife, plank, board.work("salad", knife, plank, meet=meet)), name="salad")
    sauce = asyncio.create_task(answer(pot, pan, board.work("sauce", pot, pan, meet=meet)), name="sauce")
    await asyncio.gather(salad, sauce, return_exceptions=True)
    seen["apart"], seen["behind"] = board.most, False
    if board.most < 2:
        return
    meet = []
    party = [
        answer(knife, plank, board.work("salad", knife, plank, meet=meet)),
        answer(plank, knife, board.work("soup", plank, knife)),
        answer(pot, pan, board.work("sauce", pot, pan, meet=meet)),
    ]
    dishes = [
        asyncio.create_task(dish, name=name) for name, dish in zip(("salad", "soup", "sauce"), party, strict=True)
    ]
    await asyncio.wait(dishes, timeout=PATIENT_SECONDS)
    for dish in dishes:
        dish.cancel()
    await asyncio.gather(*dishes, return_exceptions=True)
    seen["behind"] = "salad" in board.alone


# --- 4. closing time -------------------------------------------------------------------------------------------------

GRACE_SECONDS = 0.3
CLEANING_SECONDS = 0.03  # seconds that a dish needs to be thrown away
FOR_EVER = 60.0
LATE = {"salad": 0.0, "bread": 0.1, "cake": FOR_EVER, "roast": FOR_EVER}  # seconds after the bell in which it is done


class _Evening:
    """An evening in a restaurant: which dish is done when, after the bell has rung, and which is told to end."""

    def __init__(self, late, rings=True):
        self.late, self.rings = late, rings
        self.bell = asyncio.Event()
        self.begun, self.under_way, self.most = [], set(), 0
        self.thrown, self.rang = {}, None  # when each was told to end, when the bell rang

    async def cook(self, dish):
        self.begun.append(dish)
        self.under_way.add(dish)
        self.most = max(self.most, len(self.under_way))
        try:
            if self.late[dish]:
                await self.ringing()
            await asyncio.sleep(self.late[dish] or 0.01)
        except asyncio.CancelledError:
            self.thrown[dish] = time.perf_counter()
            await asyncio.sleep(CLEANING_SECONDS)
            raise
        finally:
            self.under_way.discard(dish)

    async def ringing(self):
        """Rings the bell in a moment, if it is to ring; returns when it has rung."""
        if self.rings and not self.bell.is_set():
            await asyncio.sleep(0.03)
            self.rang = self.rang or time.perf_counter()
            self.bell.set()
        await self.bell.wait()


@exercise(
    stub='''
    async def closing_time(cook, dishes, bell, grace):
        """What became of each dish: a dict."""
        ...
    ''',
    solution="""
    async def closing_time(cook, dishes, bell, grace):
        tasks = {dish: asyncio.create_task(cook(dish)) for dish in dishes}
        ringing = asyncio.create_task(bell.wait())
        all_done = asyncio.create_task(asyncio.wait(tasks.values()))
        await asyncio.wait([ringing, all_done], return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait(tasks.values(), timeout=grace)
        for task in [*tasks.values(), ringing]:
            task.cancel()
        await asyncio.wait([*tasks.values(), ringing, all_done])
        return {dish: "thrown away" if task.cancelled() else "served" for dish, task in tasks.items()}
    """,
    hints=[
        "Keep a task for each dish in a dict. Then there are three steps: wait for the bell or for all dishes, whichever is "
        "first; wait for at most `grace` more seconds; end what is left.",
        "The bell can be waited for like a task: `asyncio.create_task(bell.wait())`. `asyncio.wait([…], "
        "return_when=asyncio.FIRST_COMPLETED)` returns when the first of several is done, and raises nothing.",
        "`asyncio.wait(tasks, timeout=grace)` waits for at most that long, and cancels nobody. Cancel those that are not "
        "done yourself, and then wait once more, for all.",
    ],
)
def closing_time(answer):
    """Cook all dishes at once; after the bell, give those left `grace` seconds; then end them, and wait for that."""
    _coroutine_function(answer)
    evening = _Evening(LATE)
    value, left, thrown, timeline = _closed(answer, evening, GRACE_SECONDS)
    if evening.most == 1:
        raise Wrong("one dish after the other: give each a task, so that all are on the stove at once", timeline)
    early = {dish: when - evening.rang for dish, when in thrown.items()} if evening.rang else {}
    if "bread" in early or (early and min(early.values()) < 0.8 * GRACE_SECONDS):
        dish = min(early, key=early.get)
        text = f"{dish} was told to end {early[dish]:.2f} s after the bell"
        raise Wrong(f"{text}: everybody has {GRACE_SECONDS} s of grace", timeline, _lane(timeline, WAITING))
    if left - set(thrown):
        text = f"when it returned, {' and '.join(sorted(left))} went on cooking"
        raise Wrong(f"{text}: cancel what is left after the grace", timeline)
    if left:
        text = f"when it returned, {' and '.join(sorted(left))} had been told to end, and were still cleaning up"
        raise Wrong(f"{text}: wait for them once more", timeline)
    right = {dish: "thrown away" if late == FOR_EVER else "served" for dish, late in LATE.items()}
    if value != right:
        raise Wrong(f"it returned {_cut(value)}: it should be {right}", timeline)
    quick = _Evening({"salad": 0.0, "tea": 0.0}, rings=False)
    hint = "every dish was done, and it went on waiting for the bell: wait for whichever comes first"
    _closed(answer, quick, GRACE_SECONDS, hint)
    hint = "after the bell every dish was done at once, and it went on waiting until the grace was over"
    _closed(answer, _Evening({"salad": 0.0, "bread": 0.05}), FOR_EVER, hint)
    return Right(
        "two dishes were served, two thrown away when the grace was over, and nothing was left on the stove", timeline
    )


def _closed(answer, evening, grace, hint=""):
    """What the answer returned, who was on the stove then, who was told to end, the picture. `hint`: if it never ends."""

    async def party():
        value = await answer(evening.cook, list(evening.late), evening.bell, grace)
        return value, set(evening.under_way), dict(evening.thrown)

    try:
        ran = run(party, title="closing_time", seconds=2.0)
    except Wrong as wrong:
        if "still not done" not in wrong.text:
            raise
        text = hint or "the bell has rung, the grace is over, and it is still waiting for dishes that take for ever"
        raise Wrong(text, wrong.timeline) from None
    if missing := [dish for dish in evening.late if dish not in evening.begun]:
        raise Wrong(f"{missing[0]} was never begun", ran.timeline)
    return *ran.value, ran.timeline
