"""The game: its rules against the model and against plain brute force, and the same rules in the page's JavaScript."""

import json
import re
from itertools import pairwise

import pytest
from helpers import javascript
from hypothesis import given, settings
from hypothesis import strategies as st

from kitchen import Dish, dinner, downloads, simulate, wait, work
from kitchen.lesson import game
from kitchen.lesson.game import Shift, best
from kitchen.timeline import READY, RUNNING, WAITING, Span, State

durations = st.one_of(st.integers(0, 12).map(lambda n: n / 4), st.integers(0, 9).map(lambda n: n / 3))
steps = st.builds(
    lambda make, label, time: make(label, time), st.sampled_from([work, wait]), st.sampled_from("ab"), durations
)


def menus(dishes, most):
    listed = st.lists(st.lists(steps, max_size=most), max_size=dishes)
    return listed.map(lambda menu: [Dish(f"dish {number}", steps) for number, steps in enumerate(menu)])


def as_the_loop(shift):
    """Plays as the loop does."""
    while not shift.over:
        shift.serve(shift.ready[0]) if shift.ready else shift.rest()
    return shift


def facts(timeline):
    return timeline.spans, timeline.cook, timeline.switches, timeline.makespan, timeline.outcomes


def moves(shift):
    """Every move that is possible now."""
    return [*([shift.rest] if shift._waiting else []), *(lambda name=name: shift.serve(name) for name in shift.ready)]


# --- the rules -------------------------------------------------------------------------------------------------------


@given(menus(6, 6))
def test_who_always_serves_the_first_of_the_ready_plays_as_the_loop_does(menu):
    assert facts(as_the_loop(Shift(menu)).timeline) == facts(simulate.cooperative(menu))


@pytest.mark.parametrize("menu", [[], [Dish("nothing", [])], dinner(), dinner()[::-1], downloads(20)])
def test_the_same_on_menus_that_the_notebooks_use(menu):
    assert facts(as_the_loop(Shift(menu)).timeline) == facts(simulate.cooperative(menu))


@given(menus(4, 5), st.lists(st.integers(0, 9), max_size=20))
def test_any_way_of_playing_is_a_timeline_and_undo_leads_back(menu, choices):
    shift, before = Shift(menu), []
    for choice in choices:
        if shift.over:
            break
        before.append((shift.now, shift.ready, facts(shift.timeline)))
        possible = moves(shift)
        possible[choice % len(possible)]()
        for spans in shift.timeline.by_lane.values():
            assert all(one.end == other.start for one, other in pairwise(spans))
            assert not spans or spans[0].start == 0
            assert shift.over or all(span.end <= shift.now for span in spans)
        cook = shift.timeline.cook
        assert all(one.end <= other.start for one, other in pairwise(cook))
    for then in reversed(before):
        shift.undo()
        assert (shift.now, shift.ready, facts(shift.timeline)) == then


def test_a_shift_move_by_move():
    shift = Shift([Dish("tea", [work("fill", 1), wait("boil", 3), work("pour", 1)]), Dish("toast", [work("cut", 2)])])
    assert (shift.now, shift.ready, shift.over) == (0, ["tea", "toast"], False)
    shift.serve("tea")
    assert (shift.now, shift.ready) == (1, ["toast"])
    shift.rest()  # although somebody is READY
    assert (shift.now, shift.ready) == (4, ["toast", "tea"])
    assert shift.timeline.by_lane["toast"] == (Span("toast", READY, "cut", 0, 4),)
    assert shift.timeline.outcomes == dict.fromkeys(["tea", "toast"], "not finished yet")
    shift.serve("tea")
    shift.serve("toast")
    assert (shift.now, shift.ready, shift.over, shift.timeline.switches) == (7, [], True, 1)
    assert [span[1:3] for span in shift.timeline.by_lane["tea"]] == [
        (RUNNING, "fill"),
        (WAITING, "boil"),
        (RUNNING, "pour"),
    ]


def test_a_wait_that_goes_on_is_seen_up_to_now_and_whole_when_the_shift_is_over():
    shift = Shift([Dish("cake", [work("mix", 1), wait("bake", 9)]), Dish("tea", [work("pour", 1)])])
    shift.serve("cake")
    shift.serve("tea")
    assert shift.over
    assert (shift.now, shift.timeline.makespan, shift.timeline.outcomes) == (2, 10, {})
    shift.undo()
    assert shift.timeline.spans == (Span("cake", RUNNING, "mix", 0, 1), Span("tea", READY, "pour", 0, 1))


@pytest.mark.parametrize(
    "played, move, error",
    [
        ([], lambda shift: shift.serve("soup"), r"there is no 'soup' on the menu: try serve\('steak'\) or serve"),
        (
            ["steak"],
            lambda shift: shift.serve("steak"),
            r"steak cannot be served now \(heat the pan until minute 5\): try",
        ),
        (["steak"], lambda shift: shift.serve("steak"), r"try serve\('boiled eggs'\) or serve\('salad'\) or rest\(\)$"),
        ([], Shift.rest, r"no dish will become READY by waiting: try serve\('steak'\) or"),
        ([], Shift.undo, r"there is no move to take back: try serve\('steak'\) or"),
    ],
)
def test_what_is_not_possible_is_answered_with_what_is_and_changes_nothing(played, move, error):
    shift = Shift(dinner())
    for name in played:
        shift.serve(name)
    before = facts(shift.timeline)
    with pytest.raises(ValueError, match=error):
        move(shift)
    assert facts(shift.timeline) == before


def test_when_the_shift_is_over_nothing_is_left_to_do_but_to_undo():
    shift = as_the_loop(Shift(dinner()))
    for move in (shift.rest, lambda: shift.serve("steak")):
        with pytest.raises(ValueError, match=r"try undo\(\)"):
            move()
    with pytest.raises(ValueError, match="nothing is to be cooked"):
        Shift([]).rest()


def test_a_menu_is_checked_as_everywhere():
    with pytest.raises(ValueError, match="two dishes"):
        Shift([*dinner(), *dinner()])


# --- the score -------------------------------------------------------------------------------------------------------


def tried(shift, known):
    """The best makespan, by brute force: every move in every situation."""
    ends = max((row[4] for row in shift._log), default=0.0)
    if shift.over:
        return ends
    situation = (shift.now, *shift._at, *shift.ready, *((end, number) for end, _, number in shift._waiting), ends)
    if situation not in known:
        found = []
        for number in range(len(moves(shift))):
            moves(shift)[number]()
            found.append(tried(shift, known))
            shift.undo()
        known[situation] = min(found)
    return known[situation]


@settings(max_examples=60, deadline=None)
@given(menus(3, 3))
def test_the_best_is_what_brute_force_finds(menu):
    shift = best(menu)
    assert shift.over
    assert shift.timeline.makespan == pytest.approx(tried(Shift(menu), {}), abs=1e-9)
    assert simulate.lower_bound(menu) - 1e-9 <= shift.timeline.makespan <= simulate.cooperative(menu).makespan + 1e-9


def test_nobody_beats_the_loop_at_the_dinner_but_at_the_dinner_from_behind():
    assert best(dinner()).timeline.makespan == simulate.cooperative(dinner()).makespan == 18
    assert best(dinner()[::-1]).timeline.makespan == 18 < simulate.cooperative(dinner()[::-1]).makespan == 21


def test_sometimes_it_is_best_to_stand_aside_although_somebody_is_ready():
    menu = [
        Dish("roast", [work("put in", 1), wait("brown", 1), work("turn", 1), wait("roast", 20)]),
        Dish("dough", [work("knead", 9)]),
    ]
    assert best(menu).timeline.makespan == 23 < simulate.cooperative(menu).makespan == 31


def test_too_many_orders_are_not_tried():
    menu = [
        Dish(f"dish {n}", [work("a", 1 + n / 7), wait("b", 2 + n / 3), work("c", 2 - n / 9), wait("d", 9 - n)] * 3)
        for n in range(8)
    ]
    assert best(menu) is None
    assert "there are too many to try" in as_the_loop(Shift(menu)).score()


def test_the_score_in_words():
    shift = Shift(dinner())
    assert shift.score() == "Minute 0: whom does she serve?"
    as_the_loop(shift)
    assert shift.score() == (
        "As fast as the loop: you took 18 min, and the loop 18. Of the possible orders, the best of all takes 18. "
        "The lower bound, all the work or the longest dish, is 16."
    )
    slow = Shift(dinner())
    for name in ("salad", "boiled eggs", "steak"):
        slow.serve(name)
    assert as_the_loop(slow).score().startswith("Slower than the loop: you took 21 min, and the loop 18. ")
    assert best(dinner()[::-1]).score().startswith("Faster than the loop: you took 18 min, and the loop 21. ")


# --- the game in the page ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def replay(tmp_path_factory):
    """How a shift goes in the page, by tests/views/javascript/replay.js."""
    folder = javascript.modules(tmp_path_factory.mktemp("javascript"))
    with javascript.asked(javascript.node(), folder, "replay.js") as ask:
        yield ask


def as_data(menu):
    return [
        {"name": dish.name, "steps": [[step.kind, step.label, step.duration] for step in dish.steps]} for dish in menu
    ]


NUMBERS = {state: number for number, state in enumerate(State, start=1)}


def standing(shift):
    """How things stand, in the page's terms. Figures in words are compared elsewhere: the languages round differently."""
    numbers = [shift.names.index(name) for name in shift.ready]
    spans = [
        [(NUMBERS[span.state], span.label, span.start, span.end) for span in shift.timeline.by_lane[name]]
        for name in shift.names
    ]
    waiting = {name: shift.doing(name).partition(" until minute ")[0] for name in shift.names}
    return {
        "now": shift.now,
        "ready": numbers,
        "over": shift.over,
        "can": [None] * bool(shift._waiting) + sorted(numbers),
        "doing": [waiting[name].rpartition(", ")[0] or waiting[name] for name in shift.names],
        "switches": shift.timeline.switches,
        "spans": spans,
    }


def told(page):
    """The same, of what the page says; a piece that has only just begun is no span yet."""
    doing = [words.partition(" until minute ")[0] for words in page["doing"]]
    return {key: page[key] for key in ("now", "ready", "over", "switches")} | {
        "can": page["can"],
        "doing": [words.rpartition(", ")[0] or words for words in doing],
        "spans": [
            [(span["state"], span["label"], span["start"], span["end"]) for span in lane if span["end"] > span["start"]]
            for lane in page["lanes"]
        ],
    }


def played(menu, choices):
    """A shift with a move for each number, the moves, and how things stood before and after each."""
    shift, made, stood = Shift(menu), [], [standing(Shift(menu))]
    for choice in choices:
        possible = [*([None] if shift._waiting else []), *shift._ready, *(["undo"] if shift._moves else [])]
        if not possible:
            break
        move = possible[choice % len(possible)]
        shift.undo() if move == "undo" else shift.rest() if move is None else shift.serve(shift.names[move])
        made.append(move)
        stood.append(standing(shift))
    return shift, made, stood


@settings(deadline=None)
@given(menus(4, 5), st.lists(st.integers(0, 9), max_size=20))
def test_in_the_page_a_shift_goes_as_it_does_here(replay, menu, choices):
    _, made, stood = played(menu, choices)
    assert [told(page) for page in replay(dishes=as_data(menu), moves=made)] == stood


@settings(deadline=None, max_examples=40)
@given(menus(4, 5))
def test_the_pages_loop_is_the_loop(replay, menu):
    shift = as_the_loop(Shift(menu))
    *_, end = replay(dishes=as_data(menu), moves=shift._moves)
    loop = simulate.cooperative(menu)
    assert [ended for _, _, ended in end["summary"]] == [pytest.approx(loop.makespan, abs=1e-9)] * 2
    assert end["switches"] == loop.switches


@pytest.mark.parametrize("menu", [dinner(), dinner()[::-1], downloads(4)], ids=["dinner", "from behind", "downloads"])
def test_the_page_says_what_is_said_here(replay, menu):
    shift = Shift(menu)
    best_of_all, bound = best(menu).timeline.makespan, simulate.lower_bound(menu)
    moves = as_the_loop(Shift(menu))._moves
    for page, move in zip(
        replay(dishes=as_data(menu), moves=moves, best=best_of_all, bound=bound), [*moves, None], strict=True
    ):
        assert page["doing"] == [shift.doing(name) for name in shift.names]
        assert page["score"] == shift.score()
        if shift.over:
            loop = simulate.cooperative(menu)
            loop.title = "the loop"
            assert [summary for _, summary, _ in page["summary"]] == [shift.timeline.summary(), loop.summary()]
        else:
            assert page["summary"][1] == ["the loop: covered until you are done", "", None]
            shift.rest() if move is None else shift.serve(shift.names[move])


def test_in_the_page_a_dish_that_is_not_finished_has_no_end_and_no_cross(replay):
    _, page = replay(dishes=as_data(dinner()), moves=[0])
    assert page["outcomes"] == ["", "", ""]
    assert [lane[-1]["end"] for lane in page["lanes"]] == [2, 2, 2], "all of them go on, up to now"


def test_the_output_has_the_menu_and_the_best_time_and_words_for_where_no_script_runs(monkeypatch):
    shown = []
    monkeypatch.setattr(game, "display", lambda bundle, raw: shown.append(bundle))
    game.play([Dish("<b>tea</b>", [work("fill", 1), wait("boil", 3)]), Dish("toast", [work("cut", 2)])])
    (bundle,) = shown
    data = json.loads(re.findall(r'<script type="application/json">(.*?)</script>', bundle["text/html"])[0])
    assert data["dishes"][0] == {"name": "<b>tea</b>", "steps": [["work", "fill", 1], ["wait", "boil", 3]]}
    assert (data["best"], data["bound"]) == (4, 4)
    assert "you choose here whom the cook serves next, &lt;b&gt;tea&lt;/b&gt; or toast." in bundle["text/html"]
    assert "<b>tea" not in bundle["text/html"]
    assert bundle["text/plain"].startswith("You are the scheduler: ")
