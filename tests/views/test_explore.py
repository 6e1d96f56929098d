"""The sliders, without a page: what is stored in the output, and what a kernel adds."""

import json
import re
from base64 import b64decode
from enum import Enum
from itertools import product
from types import SimpleNamespace
from zlib import decompress

import pytest

from kitchen import dinner, downloads, simulate
from kitchen.views import explore
from kitchen.views.player import film_bytes


@pytest.fixture
def shown(monkeypatch):
    """What `explore` displays: its data, the films in it, the line if there is one, and the whole bundle."""
    seen, lines = [], {}
    monkeypatch.setattr(explore, "display", lambda bundle, raw: seen.append(bundle))
    monkeypatch.setattr(explore, "_lines", lines)

    def show(function, **controls):
        seen.clear()
        lines.clear()
        explore.explore(function, **controls)
        (bundle,) = seen
        data = json.loads(re.findall(r'<script type="application/json">(.*?)</script>', bundle["text/html"])[0])
        films = decompress(b64decode(data["packed"]))
        return SimpleNamespace(**data, films=films, line=next(iter(lines.values()), None), bundle=bundle)

    return show


def test_every_combination_is_stored_and_the_first_is_the_player(shown):
    view = shown(
        lambda quantum, parked: simulate.threaded(dinner(), quantum, parked=parked),
        quantum=(1.0, 5.0, 0.5),
        parked=False,
    )
    assert [control["at"] for control in view.controls] == [4, 0]
    assert view.controls[0]["words"] == ["1", "1.5", "2", "2.5", "3", "3.5", "4", "4.5", "5"]
    assert {tuple(places) for places, _ in view.stored} == set(product(range(9), range(2)))
    values = [(1.0 + at / 2, bool(parked)) for (at, parked), _ in view.stored]
    made = [film_bytes([simulate.threaded(dinner(), quantum, parked=parked)]) for quantum, parked in values]
    assert view.films == b"".join(made)
    assert simulate.threaded(dinner(), 3.0).summary() in view.bundle["text/html"]
    assert f'data-kitchen="{view.target}"' in view.bundle["text/html"]
    assert view.line is None, "there is nothing that a kernel would be asked for"


def test_lists_and_dicts_are_controls_too_and_several_timelines_a_film(shown):
    view = shown(
        lambda n, way: [getattr(simulate, way)(downloads(n)), simulate.threaded(downloads(n))],
        n={"few": 2, "many": 9},
        way=["sync", "cooperative"],
    )
    assert [control["words"] for control in view.controls] == [["few", "many"], ["sync", "cooperative"]]
    assert [places for places, _ in view.stored] == [[0, 0], [0, 1], [1, 0], [1, 1]]
    first = film_bytes([simulate.sync(downloads(2)), simulate.threaded(downloads(2))])
    assert view.films.startswith(first)


@pytest.mark.parametrize(
    ("control", "words", "at"),
    [
        ((1, 10), [str(n) for n in range(1, 11)], 4),
        ((0.1, 0.5), ["0.1", "0.2", "0.3", "0.4", "0.5"], 2),
        ((0.5, 6.5, 0.5), None, 6),
        (True, ["no", "yes"], 1),
        (("a", 3), ["a", "3"], 0),
    ],
)
def test_what_a_control_offers_and_where_it_begins(control, words, at):
    made = explore._control("x", control)
    assert words is None or made.words == words
    assert made.at == at
    assert len(made.words) == len(made.values)


def test_what_the_model_refuses_is_stored_in_words(shown):
    view = shown(lambda quantum: simulate.threaded(dinner(), quantum), quantum=(0.0, 2.0, 1.0))
    told = {tuple(places): error for places, error in view.stored}
    assert told[1,] is told[2,] is None
    assert told[0,].startswith("ValueError: a quantum of 0.0 minutes")


def test_what_is_raised_cannot_become_html(shown):
    def fail(go):
        if go:
            raise KeyError("<script>")
        return simulate.sync(dinner())

    view = shown(fail, go=False)
    assert view.stored == [[[0], None], [[1], "KeyError: '<script>'"]]
    assert "<script>'" not in view.bundle["text/html"]


def test_what_is_raised_at_first_is_raised():
    with pytest.raises(ValueError, match="a quantum of 0"):
        explore.explore(lambda quantum: simulate.threaded(dinner(), quantum), quantum=(-1, 1))


class Asked(list):
    """What a line sends back."""

    def __init__(self, line):
        super().__init__()
        self.line = line
        line.send = self.append

    def __call__(self, content):
        self.line._handle_custom_msg(content, [])
        return self.pop() if self else None


def test_what_is_too_much_to_store_is_left_to_the_kernel_the_nearest_first(shown, monkeypatch):
    monkeypatch.setattr(explore, "MOST_FILMS", 3)
    view = shown(lambda n: simulate.sync(downloads(n)), n=(0, 9))
    assert [places for places, _ in view.stored] == [[4], [3], [5]]
    ask = Asked(view.line)
    answer = ask({"places": [9]})
    assert answer["places"] == [9]
    assert answer["error"] is None
    assert decompress(b64decode(answer["packed"])) == film_bytes([simulate.sync(downloads(9))])
    for nonsense in (
        {},
        {"places": [10]},
        {"places": [-1]},
        {"places": ["1"]},
        {"places": [True]},
        {"places": 3},
        None,
    ):
        assert ask(nonsense) is None, nonsense


def test_no_more_is_stored_than_may_be(shown, monkeypatch):
    whole = shown(lambda n: simulate.sync(downloads(n)), n=(1, 8))
    monkeypatch.setattr(explore, "MOST_BYTES", len(b64decode(whole.packed)) - 1)
    assert len(shown(lambda n: simulate.sync(downloads(n)), n=(1, 8)).stored) == 4
    monkeypatch.setattr(explore, "MOST_SECONDS", 0.0)
    assert len(shown(lambda n: simulate.sync(downloads(n)), n=(1, 8)).stored) == 1


class Kind(Enum):
    ONE = 1


@pytest.mark.parametrize("control", [None, (1,), (2, 1), (1, 2, 0), (1, 2, 3, 4), [], {}, Kind.ONE, "abc", 3])
def test_a_control_that_is_none_is_named(control):
    with pytest.raises(ValueError, match=r"quantum=.*: give a range"):
        explore.explore(simulate.threaded, quantum=control)


def test_where_no_script_runs_it_is_said_what_could_be_moved(shown):
    view = shown(lambda n: simulate.sync(downloads(n)), n=(1, 3))
    assert "<p>Where scripts run, one can move n (1 to 3) here.</p>" in view.bundle["text/html"]
    assert {"text/html", "image/png", "text/plain"} == set(view.bundle)
