"""Predictions: what a reader may answer, what is made of it, and what came out drawn over it."""

from fractions import Fraction

import pytest

from kitchen import State, dinner, predict, simulate
from kitchen.timeline import READY, RUNNING, WAITING


class Shown(list):
    """What was displayed: mime bundles; the last one of a comparison is what the page shows."""

    def __call__(self, bundle, raw=False, display_id=None):
        assert raw
        self.append(bundle)
        return self

    def update(self, bundle, raw=False):
        self.append(bundle)


@pytest.fixture(autouse=True)
def shown(monkeypatch):
    shown = Shown()
    monkeypatch.setattr(predict, "display", shown)
    monkeypatch.setattr(predict, "_given", {})
    monkeypatch.setattr(predict, "_asked", {})
    return shown


LANES = [dish.name for dish in dinner()]
ASKED = {
    "number": lambda: predict.number("How long?", "min"),
    "choice": lambda: predict.choice("Which?", ["this", "that"]),
    "order": lambda: predict.order("Who first?", LANES),
    "drawing": lambda: predict.drawing("Who when?", LANES, until=4),
}
GIVEN = {  # what the page sends, and what it means
    "number": (30, 30.0),
    "choice": (1, "that"),
    "order": ([2, 0, 1], [LANES[2], LANES[0], LANES[1]]),
    "drawing": ([[1, 1, 0, 3], [2, 2, 1, 3], [2, 2, 2, 1]], [
        [RUNNING, RUNNING, None, WAITING],
        [READY, READY, RUNNING, WAITING],
        [READY, READY, READY, RUNNING],
    ]),
}  # fmt: skip
TRUTH = {"number": 38.0, "choice": "that", "order": LANES, "drawing": simulate.cooperative(dinner())}


@pytest.mark.parametrize("kind", ASKED)
def test_an_answer_is_taken_and_noted_and_kept_when_the_question_is_asked_again(kind):
    guess = ASKED[kind]()
    assert guess.answer is None and guess._form.noted == ""
    guess._form.answer, means = GIVEN[kind]
    assert guess.answer == means
    assert guess._form.noted
    again = ASKED[kind]()
    assert again.answer == means
    assert again._form.answer == GIVEN[kind][0]
    again._form.answer = None
    assert again.answer is None
    assert ASKED[kind]().answer is None


@pytest.mark.parametrize("kind", ASKED)
@pytest.mark.parametrize("nonsense", ["<b>", [], [0], [[1]], {}, float("nan"), -1, 7, True, [0, 0, 1], [[9] * 4] * 3])
def test_what_a_page_should_not_send_is_no_answer(kind, nonsense):
    if kind == "number" and isinstance(nonsense, int):
        return
    guess = ASKED[kind]()
    guess._form.answer = nonsense
    assert guess.answer is None


@pytest.mark.parametrize("kind", ASKED)
def test_without_an_answer_it_is_said_what_came_out_and_nothing_waits(kind, shown):
    ASKED[kind]().compare(TRUTH[kind], "since <it> is so")
    *_, bundle = shown
    assert predict.NO_PREDICTION in bundle["text/plain"]
    assert bundle["text/plain"].endswith("since <it> is so")
    assert "since &lt;it&gt; is so" in bundle["text/html"]


@pytest.mark.parametrize("kind", ASKED)
def test_an_answer_that_comes_after_the_run_is_drawn_then(kind, shown):
    guess = ASKED[kind]()
    guess.compare(TRUTH[kind])
    guess._form.answer = GIVEN[kind][0]
    *_, before, after = shown
    assert predict.NO_PREDICTION in before["text/plain"]
    assert predict.NO_PREDICTION not in after["text/plain"]


def compared(kind, answer, truth, shown, ask=None):
    guess = (ask or ASKED[kind])()
    guess._form.answer = answer
    guess.compare(truth)
    return shown[-1]["text/plain"], shown[-1]["text/html"]


@pytest.mark.parametrize(
    ("answer", "truth", "says"),
    [
        (38, 38, "You said 38 min. It is 38 min. That is it."),
        (37, 38, "You said 37 min. It is 38 min. Close."),
        (19, 38, "You said 19 min. It is 38 min. That is 2 times too little."),
        (76, 38, "You said 76 min. It is 38 min. That is 2 times too much."),
        (0, 38, "You said 0 min. It is 38 min. That is 38 min off."),
        (3, 0, "You said 3 min. It is 0 min. That is 3 min off."),
    ],
)
def test_a_number_is_compared(answer, truth, says, shown):
    text, html = compared("number", answer, truth, shown)
    assert text == says
    assert ("kitchen-right" in html.split(">")[0]) == (text.endswith(("it.", "Close.")))
    assert "you: " in html


def test_a_choice_is_compared(shown):
    assert compared("choice", 1, "that", shown)[0] == "You said “that”, and so it is."
    assert compared("choice", 0, "that", shown)[0] == "You said “this”\nIt is: “that”"


def test_an_order_is_compared(shown):
    text, html = compared("order", [0, 2, 1], LANES, shown)
    assert text == "You said: steak, salad, boiled eggs. It is: steak, boiled eggs, salad. 1 of 3 in the right place."
    assert html.count("<path") == 3
    assert compared("order", [0, 1, 2], LANES, shown)[0].endswith("That is it.")


def test_a_drawing_is_compared_with_the_timeline(shown):
    text, html = compared("drawing", GIVEN["drawing"][0], TRUTH["drawing"], shown)
    assert text.splitlines() == [
        "11 of 12 pieces as you drew them.",
        "steak: RUNNING 0 to 2, WAITING 2 to 4",
        "boiled eggs: READY 0 to 2, RUNNING 2 to 3, WAITING 3 to 4",
        "salad: READY 0 to 3, RUNNING 3 to 4",
    ]
    assert html.count("kitchen-off") == 1 + html.split("</style>")[0].count("kitchen-off")


def test_a_drawing_shows_for_each_piece_what_fills_most_of_it(shown):
    ask = lambda: predict.drawing("Coarse?", LANES, until=18, step=9, states=[RUNNING, READY, WAITING, State.IDLING])  # noqa: E731
    assert ask()._question.sampled(simulate.sync(dinner()).by_lane["steak"]) == [State.IDLING, State.IDLING]
    text, _ = compared("drawing", [[1, 0], [0, 0], [0, 0]], TRUTH["drawing"], shown, ask)
    assert text.startswith("0 of 3 pieces")


@pytest.mark.parametrize(
    ("kind", "truth"),
    [("number", "many"), ("choice", "neither"), ("order", LANES[:2]), ("drawing", 5), ("drawing", simulate.sync([]))],
)
def test_a_truth_that_is_no_answer_is_refused(kind, truth):
    with pytest.raises(ValueError, match=r"no answer|no Timeline|no lane 'boiled eggs'"):
        ASKED[kind]().compare(truth)


@pytest.mark.parametrize(
    "ask",
    [
        lambda: predict.choice("Which?", ["one"]),
        lambda: predict.order("Which?", ["one", "one"]),
        lambda: predict.drawing("Which?", [], until=3),
        lambda: predict.drawing("Which?", ["one"], until=61),
        lambda: predict.drawing("Which?", ["one"], until=3, step=0),
        lambda: predict.drawing("Which?", ["one"], until=0.4),
        lambda: predict.drawing("Which?", ["one"], until=2.5),
        lambda: predict.drawing("Which?", ["one"], until=3, states=()),
        lambda: predict.drawing("Which?", ["one"], until=3, states=("running",)),
    ],
)
def test_a_question_that_cannot_be_asked_is_refused(ask):
    with pytest.raises(ValueError, match="give"):
        ask()


def test_a_question_that_is_asked_again_takes_over_what_was_compared(shown):
    first = ASKED["number"]()
    first.compare(38)
    again = ASKED["number"]()
    again._form.answer = 30
    assert shown[-1]["text/plain"].startswith("You said 30 min. It is 38 min.")
    assert first._form.comm is None  # the old form is closed


def test_truths_of_every_kind_of_number_and_list_are_understood(shown):
    ASKED["number"]().compare(Fraction(77, 2))
    assert shown[-1]["text/plain"].startswith("It is 38.5 min.")
    ASKED["order"]().compare(iter(LANES))
    assert shown[-1]["text/plain"].startswith("It is: steak, boiled eggs, salad.")
    for truth in (True, 10**400):
        with pytest.raises(ValueError, match="no answer"):
            ASKED["number"]().compare(truth)


def test_words_from_outside_are_escaped(shown):
    guess = predict.order("<i>?", ["<b>one</b>", "two"])
    guess._form.answer = [1, 0]
    guess.compare(["<b>one</b>", "two"])
    assert "<b>" not in shown[-1]["text/html"]


def test_what_stands_between_backticks_is_code():
    assert predict.marked("`a < b` and `c") == "<code>a &lt; b</code> and `c"


def test_the_saved_form_says_what_was_asked(shown):
    ASKED["choice"]()
    assert shown[-1]["text/plain"] == "Your prediction: Which?\n  - this\n  - that\n(Run this cell, and answer here.)"
