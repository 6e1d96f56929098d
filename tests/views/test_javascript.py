"""The page's JavaScript under Node: its own tests, and that the page knows of a run just what Python knows."""

import math
import re
import subprocess
from base64 import b64decode, b64encode
from itertools import pairwise
from operator import add, lt
from pathlib import Path
from zlib import decompress

import pytest
from helpers import javascript
from helpers.javascript import ROOT, SECONDS
from hypothesis import given, settings
from hypothesis import strategies as st

from kitchen import Dish, State, dinner, downloads, simulate, wait, work
from kitchen.recorder import Recorder
from kitchen.timeline import IDLING, READY, RUNNING, SWITCHING, WAITING, Finding, Span, Table, Timeline
from kitchen.timeline.words import printable, short_names
from kitchen.views import assets, live, palette
from kitchen.views.player import film_json, packed_film

TESTS = sorted(Path(__file__).parent.glob("javascript/*.test.js"))


@pytest.fixture(scope="module")
def node():
    return javascript.node()


@pytest.fixture(scope="module")
def modules(tmp_path_factory):
    return javascript.modules(tmp_path_factory.mktemp("javascript"))


# --- its own tests ---------------------------------------------------------------------------------------------------


def test_there_are_tests():
    assert {"film.test.js", "camera.test.js"} <= {path.name for path in TESTS}


def test_the_files_are_one_module_and_one_script(node, tmp_path):
    """No two of them have a name in common, and nothing is cut off with the comments."""
    (tmp_path / "module.mjs").write_text(assets.module(), encoding="utf-8")
    (tmp_path / "line.mjs").write_text(assets.module(assets.LINE), encoding="utf-8")
    (tmp_path / "script.js").write_text(decompress(b64decode(assets.packed()[0])).decode(), encoding="utf-8")
    for name in ("module.mjs", "line.mjs", "script.js"):
        said = subprocess.run([node, "--check", str(tmp_path / name)], capture_output=True, timeout=SECONDS)
        assert said.returncode == 0, said.stderr.decode(errors="replace")


def test_a_file_imports_from_files_before_it_and_what_it_imports_is_there():
    """So the page's modules depend on each other in one direction only."""
    known = {"states": palette.javascript()}
    for name in assets.PLAYER + assets.LESSON:
        text = (assets.PAGE / f"{name}.js").read_text(encoding="utf-8")
        for names, file in re.findall(r'^import \{([^}]*)\} from "\./(\w+)\.js";', text, flags=re.MULTILINE):
            assert file in known, f"{name}.js imports from {file}.js, which comes later"
            for imported in filter(None, map(str.strip, names.split(","))):
                assert re.search(rf"export (?:\w+ )?(?:function |class |const )[^;]*?\b{imported}\b", known[file]), (
                    imported
                )
        known[name] = text


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.stem)
def test_node_runs_the_tests_of_the_javascript(node, modules, path):
    said = subprocess.run(
        [node, "--test", str(modules / path.relative_to(ROOT))],
        cwd=modules,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=SECONDS,
    )
    assert said.returncode == 0, said.stdout.decode(errors="replace")


# --- what Python writes, the page reads ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def retell(node, modules):
    """What a film says, by tests/views/javascript/retell.js: one Node for all questions."""
    with javascript.asked(node, modules, "retell.js") as ask:
        yield ask


NUMBERS = {state: number for number, state in enumerate(State, start=1)}
STATES = {number: state for state, number in NUMBERS.items()}


def spans_of(run):
    """The spans of a run as the page knows them."""
    return [
        Span(
            run["lanes"][span["lane"]], STATES[span["state"]], *(span[key] for key in ("label", "start", "end"))
        )._replace(inferred=span["inferred"])
        for span in run["spans"]
    ]


def shown(spans):
    """Spans as a page may show them: without what could disturb it."""
    return [span._replace(lane=printable(span.lane), label=printable(span.label)) for span in spans]


def outcomes_of(timeline):
    """What has become of each lane in the end."""
    return [printable(timeline.outcomes.get(lane, "done")) for lane in timeline.lanes]


def seen_switches(timeline):
    """How often the cook turns to another dish, as far as that takes time: what the spans show."""
    return sum(before.lane != after.lane for before, after in pairwise(timeline.cook))


def findings_of(timeline):
    """What is amiss, as the page knows it."""
    for finding in timeline.findings:
        span = finding.span
        where = {"lane": timeline.lanes.index(span.lane), "start": span.start, "end": span.end} if span else {}
        yield {"text": printable(finding.text)} | where


def parents_of(run):
    """Who created whom, by number."""
    return {int(lane): parent for lane, parent in run["parents"].items()}


def check(retell, *timelines, offsets=None):
    """The film of these Timelines says what they say."""
    offsets = offsets or [0.0] * len(timelines)
    text = film_json(timelines, offsets, "a <title> & more")
    assert text.isascii()
    assert not set(text) & set("<>&")
    edges = {edge for timeline in timelines for span in timeline.spans for edge in (span.start, span.end)}
    edges |= {timeline.makespan for timeline in timelines} | {0.0}
    moments = sorted(edges | {(before + after) / 2 for before, after in pairwise(sorted(edges))})[:400]
    film = retell(film=text, moments=moments)
    assert film["title"] == "a <title> & more"
    assert film["duration"] == max(o + timeline.makespan for o, timeline in zip(offsets, timelines, strict=True))
    for timeline, offset, run in zip(timelines, offsets, film["runs"], strict=True):
        assert (run["title"], run["unit"], run["offset"]) == (printable(timeline.title), timeline.unit, offset)
        assert run["lanes"] == [printable(lane) for lane in timeline.lanes]
        assert (run["ended"], run["summary"]) == (timeline.makespan, printable(timeline.summary()))
        assert spans_of(run) == shown(timeline.spans)
        names = dict(zip(timeline.lanes, short_names(timeline.lanes), strict=True))
        assert run["names"] == list(names.values())
        switching = [(names[span.lane], span.start, span.end) for span in timeline.cook if span.state is SWITCHING]
        assert [(span["label"], span["start"], span["end"]) for span in run["switching"]] == switching
        assert {span["state"] for span in run["switching"]} <= {NUMBERS[SWITCHING]}
        assert run["outcomes"] == outcomes_of(timeline)
        number = {lane: number for number, lane in enumerate(timeline.lanes)}
        assert parents_of(run) == {number[lane]: number[parent] for lane, parent in timeline.parents.items()}
        assert run["findings"] == list(findings_of(timeline))
        assert len(run["turns"]) == (seen_switches(timeline) + 1 if timeline.cook else 0)
        assert run["took"] == list(timeline.took)
        for state, means in list(zip(NUMBERS, run["means"][1:], strict=True))[:4]:
            assert math.fsum(means) * timeline.makespan / 7 == pytest.approx(spent(timeline, state), abs=1e-9)
        for time, told in zip(moments, run["moments"], strict=True):
            assert told == told_of(timeline, time), f"at {time}"
    return film


def told_of(timeline, time):
    """What there is to tell of a moment, from the spans."""
    lanes = timeline.by_lane.values()
    then = [next((span for span in spans if span.start <= time < span.end), None) for spans in lanes]
    if time >= timeline.makespan:
        then = [None] * len(then)
    over = {lane: all(span.end <= time for span in spans) for lane, spans in timeline.by_lane.items()}
    turning = [span for span in timeline.cook if span.state is SWITCHING and span.start <= time < span.end]

    def who(*states):
        return [lane for lane, span in enumerate(then) if span and span.state in states]

    return {
        "held": who(RUNNING, IDLING),
        "ready": who(READY),
        "waiting": who(WAITING),
        "done": sum(over and lane not in timeline.outcomes for lane, over in over.items()),
        "undone": sum(over and lane in timeline.outcomes for lane, over in over.items()),
        "turning": short_names(timeline.lanes)[timeline.lanes.index(turning[0].lane)] if turning else "",
        "states": [NUMBERS[span.state] if span else 0 for span in then],
        "counts": [0, *(len(who(state)) for state in State)],
    }


def spent(timeline, state):
    """The time that all lanes together spent in a state."""
    return math.fsum(span.duration for span in timeline.spans if span.state is state)


def schedules(menu, quantum=1.0, cost=0.0):
    """What every scheduler makes of a menu."""
    return [
        simulate.sync(menu),
        simulate.threaded(menu, quantum=quantum, switch_cost=cost),
        simulate.threaded(menu, quantum=quantum, switch_cost=cost, parked=True),
        simulate.cooperative(menu, switch_cost=cost),
        simulate.cooperative(menu, switch_cost=cost, limit=2),
    ]


@pytest.mark.long
@pytest.mark.parametrize("cost", [0.0, 0.25, 1 / 3])
@pytest.mark.parametrize("menu", [dinner(), downloads(40), []], ids=["dinner", "downloads", "nothing"])
def test_the_page_knows_of_a_schedule_what_the_model_knows(retell, menu, cost):
    timelines = schedules(menu, cost=cost)
    film = check(retell, *timelines)
    for timeline, run in zip(timelines, film["runs"], strict=True):
        if seen_switches(timeline) == timeline.switches:  # a turn of no length cannot be seen
            assert len(run["turns"]) == timeline.switches + 1 if menu else not run["turns"]
    for timeline in timelines:
        check(retell, timeline, offsets=[2 / 3])


def test_every_turn_of_the_cook_at_dinner_can_be_gone_to(retell):
    for timeline in [*schedules(dinner()), *schedules(dinner(), quantum=0.5), *schedules(dinner(), cost=0.25)]:
        (run,) = check(retell, timeline)["runs"]
        assert len(run["turns"]) == timeline.switches + 1, timeline.title


texts = st.text(st.sampled_from("ab<>&\"'\\/\0\n\x1b\u2028\u202e\ud800é🍳"), max_size=8) | st.just("</script><!--")
names = st.lists(texts.filter(str.strip), max_size=5, unique=True)
durations = st.integers(1, 12).map(lambda n: n / 4) | st.integers(1, 9).map(lambda n: n / 3)
costs = st.sampled_from([0.0, 0.25, 1 / 3])
quanta = st.sampled_from([0.25, 1 / 3, 1.0, 2.5, math.inf])


@st.composite
def menus(draw, durations=durations):
    steps = st.builds(lambda make, *of: make(*of), st.sampled_from([work, wait]), texts, durations)
    return [Dish(name, draw(st.lists(steps, max_size=5))) for name in draw(names)]


@pytest.mark.long
@settings(deadline=None)
@given(menu=menus(), quantum=quanta, cost=costs, offset=st.sampled_from([0.0, 0.1, 2.0]))
def test_the_page_knows_of_any_schedule_what_the_model_knows(retell, menu, quantum, cost, offset):
    timelines = schedules(menu, quantum, cost)
    check(retell, *timelines, offsets=[offset * number for number in range(len(timelines))])


@pytest.mark.long
@settings(deadline=None)
@given(menu=menus(st.just(0.0) | durations), quantum=quanta)
def test_the_page_knows_steps_that_take_no_time_as_the_model_does(retell, menu, quantum):
    check(retell, *schedules(menu, quantum))


@st.composite
def by_hand(draw):
    """A Timeline as anybody may make one: gaps, filled or not, inferred spans, empty lanes, spans of no length."""
    lanes = draw(names)
    rows = []
    for lane in range(len(lanes)):
        time = 0.0
        for _ in range(draw(st.integers(0, 5))):
            start = time + draw(st.sampled_from([0.0, 0.0, 0.25, 1 / 3]))
            time = start + draw(st.sampled_from([0.0, 0.1, 0.5, 1 / 3]))
            state = draw(st.sampled_from([RUNNING, READY, WAITING, IDLING]))
            rows.append((lane, state, draw(st.just("") | texts), start, time, draw(st.booleans())))
    last = max((row[4] for row in rows), default=0.0)
    spans = [Span(lanes[lane], *facts) for lane, *facts in rows]
    findings = st.builds(Finding, texts, texts, texts, st.integers(0, 99), st.sampled_from([None, *spans]))
    return Timeline(
        lanes,
        Table(*zip(*rows, strict=True)) if rows else Table((), (), (), (), ()),
        gaps=draw(st.sampled_from([None, READY, WAITING])),
        makespan=draw(st.sampled_from([None, last, last + 1])),
        outcomes={lane: draw(texts.filter(bool)) for lane in lanes if draw(st.booleans())},
        parents={lane: draw(st.sampled_from(lanes)) for lane in lanes if draw(st.booleans())},
        findings=draw(st.lists(findings, max_size=3)),
        unit="s",
        title=draw(texts),
    )


@pytest.mark.long
@settings(deadline=None)
@given(st.lists(by_hand(), min_size=1, max_size=3))
def test_the_page_knows_any_timeline(retell, timelines):
    check(retell, *timelines, offsets=[number / 3 for number in range(len(timelines))])


def test_ready_for_nothing_stays_without_a_label(retell):
    table = Table([0, 1], [RUNNING, READY], ["of another", ""], [0.0, 0.0], [2.0, 1.0])
    check(retell, Timeline(["a", "b"], table))


# --- ten thousand lanes ----------------------------------------------------------------------------------------------


@pytest.mark.long
def test_the_page_chooses_the_lanes_that_python_would(retell):
    steps = [wait("queue", 1), work("begin", 0.001), wait("net", 2), work("end", 0.001)]
    menu = [Dish(f"page {n}", [*steps[:2], wait("net", n * 7919 % 101), steps[3]]) for n in range(400)]
    timeline = simulate.cooperative(menu)
    timeline.outcomes = {"page 7": "timed out", "page 399": "refused"}
    (run,) = check(retell, timeline)["runs"]
    assert run["chosen"]["first"] == list(range(10))
    assert run["chosen"]["undone"] == [7, 399]
    assert run["chosen"]["all"] == list(range(400))
    slowest = sorted(range(400), key=lambda lane: -round(timeline.took[lane] * 1e9))[:10]
    assert run["chosen"]["slowest"] == sorted(slowest)
    assert timeline.few(10) == [timeline.lanes[lane] for lane in sorted({*range(10), *slowest, 7, 399})]


@pytest.mark.parametrize("number", [0, 9, 3000])
def test_what_is_packed_is_unpacked_in_the_page(retell, number):
    several = [simulate.cooperative(downloads(number)), simulate.sync([]), simulate.sync(downloads(9))]
    whole, packed = (make(several, [0.0, 1.0, 2.0], "</script>\n") for make in (film_json, packed_film))
    assert "<" not in packed
    assert retell(film=whole) == retell(film=packed)


# --- what is told while it happens -----------------------------------------------------------------------------------


class Clock:
    def __init__(self):
        self.time = 100.0

    def __call__(self):
        return self.time


class Stage:
    """Runs that are recorded on a clock in the test's hand, their news, and what of it has reached the page."""

    def __init__(self, random, most):
        self.random, self.most = random, most
        self.clock = Clock()
        self.view = live.View()
        self.news = live.News(self.view)
        self.sent, self.arrived = [], []
        self.known = []  # of each run that the page knows: how many rows, labels and lanes
        self.missing = []  # of each message that arrived: whether something was missing

    def begin(self, lanes):
        self.view.recorders.append(Recorder(lanes, "run", self.clock))

    def grow(self):
        """One or more lanes are added to a run that is not over; something may happen on them."""
        going = [recorder for recorder in self.view.recorders if recorder.ended is None]
        for _ in range(self.random.randrange(1, 4) if going else 0):
            recorder = self.random.choice(going)
            number = len(recorder.lanes)
            parent = self.random.randrange(number) if number and self.random.random() < 0.8 else None
            recorder.add_lane(f"task {number} \u2028", parent)
            if self.random.random() < 0.8:
                recorder.change(number, READY)

    def change(self):
        """Something happens on some lane of some run that is not over."""
        going = [recorder for recorder in self.view.recorders if recorder.lanes and recorder.ended is None]
        if not going:
            return
        recorder = self.random.choice(going)
        lane = self.random.randrange(len(recorder.lanes))
        before = max((entry[0] for entry in recorder.log if entry[1] == lane), default=0.0)
        state = self.random.choice([RUNNING, RUNNING, READY, WAITING, IDLING, None])
        labels = ["", "", "x", "y", "<z>", f"new {len(recorder.log)}"] if state else ["", "", "timed out"]
        label = self.random.choice(labels)
        late = self.random.choice([0, 0, 0, 1, 3]) / 8  # some changes are noticed later than they happened
        at = max(before, recorder.now() - late)
        recorder.change(lane, state, label, at=at, inferred=self.random.random() < 0.2 and state is not None)

    def send(self):
        self.sent.append(self.news.message())

    def arrive(self, message):
        """This message reaches the page, which must notice when something is missing before it."""
        news, rows = message
        missing = False
        for run, row in zip(news["runs"], rows, strict=True):
            number = run["run"]
            if number == len(self.known) and "head" in run:
                self.known.append((0, 0, 0))
            lanes = run["head"]["lanes"] if "head" in run else run["lanes"]
            begin = run["from"], run["labelsFrom"], run.get("lanesFrom", 0)
            if number >= len(self.known) or any(map(lt, self.known[number], begin)):
                missing = True
                continue
            told = map(add, begin, (len(row) // 16, len(run["labels"]), len(lanes)))
            self.known[number] = tuple(map(max, self.known[number], told))
        self.arrived.append({"news": news, "rows": [b64encode(row).decode() for row in rows]})
        self.missing.append(missing)

    def deliver(self):
        """What lies between here and the page arrives, is lost, arrives twice, or is overtaken by what comes later."""
        for message in list(self.sent):
            fate = self.random.random()
            if fate < 0.15:
                continue  # it stays on its way
            self.sent.remove(message)
            if fate > 0.3:
                self.arrive(message)
            if fate > 0.9:
                self.arrive(message)
        if self.random.random() < 0.2:
            self.random.shuffle(self.sent)

    def perform(self, moves):
        """So many things happen, in any order."""
        for _ in range(moves):
            self.clock.time += self.random.choice([0, 0, 1, 1, 2, 5]) / 8
            move = self.random.random()
            if move < 0.05 and len(self.view.recorders) < 3:
                number = self.random.randrange(5)
                self.begin([f"dish {lane}" for lane in range(number)])
            elif move < 0.6:
                self.change()
            elif move < 0.65:
                self.grow()
            elif move < 0.8:
                self.send()
            elif move < 0.95:
                self.deliver()
            elif move < 0.98:
                self.news.again()
            elif self.view.recorders:
                self.random.choice(self.view.recorders).close()

    def close(self, over):
        """In the end everything is told again, as the courier does, and arrives."""
        for recorder in self.view.recorders:
            if over and recorder.ended is None:
                recorder.close()
        self.news.again()
        last = len(self.arrived)
        while True:
            whole = self.news.whole
            self.arrive(self.news.message())
            if whole:
                return last


stages = st.builds(Stage, st.randoms(use_true_random=False), st.sampled_from([1, 2, 5, 50_000]))


def performed(retell, stage, moves, over):
    """What the page knows in the end of what happened on the stage."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(live, "ROWS_IN_MESSAGE", stage.most)
        stage.perform(moves)
        stage.last = stage.close(over)
    return retell(messages=stage.arrived)


def tidy(spans):
    """Spans as a Timeline has them: none of no length, and neighbours differ."""
    tidy = []
    for span in shown(spans):
        last = tidy[-1] if tidy else None
        if last and (*last[:3], last.end, last.inferred) == (*span[:4], span.inferred):
            tidy[-1] = last._replace(end=span.end)
        elif span.end > span.start:
            tidy.append(span)
    return tidy


@pytest.mark.long
@settings(deadline=None, max_examples=150)
@given(stage=stages, moves=st.integers(0, 80), over=st.booleans())
def test_the_page_knows_what_was_recorded_however_the_news_came(retell, stage, moves, over):
    film = performed(retell, stage, moves, over)
    assert len(film["runs"]) == len(stage.view.recorders)
    for recorder, offset, run in zip(stage.view.recorders, stage.view.offsets, film["runs"], strict=True):
        assert (run["title"], run["unit"], run["offset"]) == (recorder.title, "s", offset)
        assert run["lanes"] == [printable(lane) for lane in recorder.lanes]
        assert parents_of(run) == recorder.parents
        assert run["ended"] == recorder.ended
        assert tidy(spans_of(run)) == tidy(recorder.timeline().spans)
        if recorder.ended is not None:
            assert run["outcomes"] == outcomes_of(recorder.timeline())


@pytest.mark.long
@settings(deadline=None, max_examples=150)
@given(stage=stages, moves=st.integers(0, 80))
def test_the_page_notices_what_is_missing_and_counts_lanes_and_turns(retell, stage, moves):
    film = performed(retell, stage, moves, over=True)
    assert film["answers"] == [not missing for missing in stage.missing]
    assert all(film["answers"][stage.last :])
    for timeline, run in zip(stage.view.timelines, film["runs"], strict=True):
        for state, means in list(zip(NUMBERS, run["means"][1:], strict=True))[:4]:
            assert math.fsum(means) * run["ended"] / 7 == pytest.approx(spent(timeline, state), abs=1e-9)
        held = [span for span in spans_of(run) if span.state in (RUNNING, IDLING) and span.end > span.start]
        held.sort(key=lambda span: (span.start, span.end))
        turns = [span.start for before, span in pairwise([None, *held]) if not before or before.lane != span.lane]
        assert run["turns"] == turns
        if len(held) == len(timeline.cook):  # a Timeline makes one span of two that go on alike
            assert len(turns) == (timeline.switches + 1 if timeline.cook else 0)


@pytest.mark.long
@settings(deadline=None)
@given(stage=stages, moves=st.integers(0, 80))
def test_the_player_afterwards_knows_what_was_recorded(retell, stage, moves):
    performed(retell, stage, moves, over=True)
    if stage.view.recorders:
        check(retell, *stage.view.timelines, offsets=stage.view.offsets)
