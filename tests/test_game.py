"""The game: its rules against the model and against plain brute force, and what the buttons do without a page."""

import json
from itertools import pairwise
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kitchen import Dish, dinner, downloads, game, simulate, wait, work
from kitchen.game import Shift, best
from kitchen.timeline import READY, RUNNING, WAITING, Span

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


# --- the game --------------------------------------------------------------------------------------------------------


@pytest.fixture
def shown(monkeypatch):
    """What `play` displays: the buttons by the beginning of their words, what is said, the page, the player."""
    seen = []
    monkeypatch.setattr(game, "display", lambda bundle, raw: seen.append(bundle))
    monkeypatch.setattr(game.VBox, "_repr_mimebundle_", lambda box: {"box": box})
    focused = []
    monkeypatch.setattr(game.Button, "focus", lambda button: focused.append(button.description))

    def show(dishes):
        game.play(dishes)
        (*rows, said, page), player = seen[0]["box"].children, seen[1]
        buttons = [button for row in rows for button in row.children]
        return SimpleNamespace(
            buttons=buttons, said=said, page=page, player=player, focused=focused, words=seen[0]["text/plain"]
        )

    return show


def click(view, words):
    next(button for button in view.buttons if button.description.startswith(words)).click()


def state(view):
    return [(button.description, not button.disabled) for button in view.buttons]


def film(view):
    return [run["summary"] for run in json.loads(view.page.film)["runs"]]


def test_the_buttons_say_what_can_be_done_and_every_click_makes_a_film(shown):
    view = shown(dinner())
    assert view.words == "(Run this cell: here you choose whom the cook serves next, steak or boiled eggs or salad.)"
    assert f'data-kitchen="{view.page.target}"' in view.player["text/html"]
    assert view.page.film == ""
    assert state(view) == [
        ("steak: season, 2 min", True),
        ("boiled eggs: fill the pot, 1 min", True),
        ("salad: wash, 2 min", True),
        ("stand aside", False),
        ("undo", False),
        ("start again", False),
    ]
    click(view, "steak")
    assert film(view)[0].startswith("you: 2 min")
    assert film(view)[1].startswith("the loop: 18 min")
    assert view.focused == ["boiled eggs: fill the pot, 1 min"]
    assert state(view)[0] == ("steak: heat the pan until minute 5", False)
    assert state(view)[3:] == [("stand aside until minute 5", True), ("undo", True), ("start again", True)]
    click(view, "undo")
    assert film(view)[0].startswith("you: 0 min")
    assert view.focused[1:] == ["steak: season, 2 min"]  # undo is disabled now


def test_a_whole_game_ends_with_the_score(shown):
    view = shown(dinner())
    for name in ["steak", "boiled eggs", "salad", "steak", "stand", "salad", "steak", "boiled eggs", "stand"]:
        click(view, name)
        assert "than the loop" not in view.said.value and "as the loop" not in view.said.value
    click(view, "steak")
    assert "As fast as the loop: you took 18 min" in view.said.value
    assert [button.disabled for button in view.buttons] == [True] * 4 + [False] * 2
    assert state(view)[2] == ("salad: done", False)
    assert view.focused[-1] == "start again"
    click(view, "start again")
    assert state(view) == state(shown(dinner()))


def test_a_click_that_came_too_late_is_answered(shown):
    view = shown([Dish("<b>tea</b>", [work("fill", 1), wait("boil", 3)]), Dish("toast", [work("cut", 2)])])
    click(view, "<b>tea</b>")
    click(view, "<b>tea</b>")
    assert "&lt;b&gt;tea&lt;/b&gt; cannot be served now" in view.said.value
    assert "<b>" not in view.said.value
