"""The sliders, without a page: what they send it, and what they do with values that a model refuses."""

import json
from types import SimpleNamespace

import pytest
from ipywidgets import IntSlider

from kitchen import dinner, downloads, explore, simulate


@pytest.fixture
def shown(monkeypatch):
    """What `explore` displays: the controls by name, the complaint, the page, and the player."""
    seen = []
    monkeypatch.setattr(explore, "display", lambda bundle, raw: seen.append(bundle))
    monkeypatch.setattr(explore.VBox, "_repr_mimebundle_", lambda box: {"box": box})

    def show(function, **controls):
        seen.clear()
        explore.explore(function, **controls)
        (row, complaint, page), player = seen[0]["box"].children, seen[1]
        boxes = {box.description: box for box in row.children}
        return SimpleNamespace(boxes=boxes, complaint=complaint, page=page, player=player, words=seen[0]["text/plain"])

    return show


def film(page):
    return [run["summary"] for run in json.loads(page.film)["runs"]]


def test_the_first_values_make_the_player_and_every_move_a_film(shown):
    view = shown(lambda quantum: simulate.threaded(dinner(), quantum), quantum=(1.0, 5.0, 0.5))
    assert view.boxes["quantum"].value == 3
    assert simulate.threaded(dinner(), 3.0).summary().split(":")[0] in view.player["text/html"]
    assert f'data-kitchen="{view.page.target}"' in view.player["text/html"]
    assert view.page.film == ""
    assert view.words == "(Run this cell: here you can move quantum.)"
    view.boxes["quantum"].value = 2.0
    assert film(view.page) == [simulate.threaded(dinner(), 2.0).summary()]


def test_boxes_lists_and_widgets_are_controls_too(shown):
    view = shown(
        lambda n, parked, way: [getattr(simulate, way)(downloads(n)), simulate.threaded(downloads(n), parked=parked)],
        n=IntSlider(4, min=1, max=9),
        parked=True,
        way=["sync", "cooperative"],
    )
    view.boxes["way"].value = "cooperative"
    view.boxes["parked"].value = False
    view.boxes["n"].value = 2
    assert film(view.page) == [
        simulate.cooperative(downloads(2)).summary(),
        simulate.threaded(downloads(2)).summary(),
    ]


def test_a_value_that_the_model_refuses_is_answered_and_the_picture_stays(shown):
    view = shown(lambda quantum: simulate.threaded(dinner(), quantum), quantum=(0.0, 2.0, 1.0))
    view.boxes["quantum"].value = 2.0
    before = view.page.film
    view.boxes["quantum"].value = 0.0
    assert "a quantum of 0.0 minutes" in view.complaint.value
    assert view.page.film == before
    view.boxes["quantum"].value = 1.0
    assert view.complaint.value == ""


def test_what_is_raised_cannot_become_html(shown):
    def fail(go):
        if go:
            raise KeyError("<script>")
        return simulate.sync(dinner())

    view = shown(fail, go=False)
    view.boxes["go"].value = True
    assert "<script>" not in view.complaint.value
    assert "&lt;script&gt;" in view.complaint.value


def test_a_control_that_is_none_is_named(shown):
    with pytest.raises(ValueError, match="quantum=None: give a range"):
        shown(simulate.threaded, quantum=None)


def test_two_of_them_on_one_page_are_told_apart(shown):
    one, other = (shown(lambda n: simulate.sync(downloads(n)), n=(1, 3)) for _ in range(2))
    assert one.page.target != other.page.target
