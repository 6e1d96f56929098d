"""Predictions: what a reader may answer, what is made of it, and what came out drawn over it."""

import json
import re
from fractions import Fraction

import pytest

from kitchen import State, dinner, simulate
from kitchen.lesson import box, predict
from kitchen.timeline import READY, RUNNING, WAITING


@pytest.fixture(autouse=True)
def shown(monkeypatch):
    """What was displayed: mime bundles."""
    shown = []
    monkeypatch.setattr(predict, "display", lambda bundle, raw: shown.append(bundle))
    monkeypatch.setattr(predict, "_given", {})
    monkeypatch.setattr(predict, "_lines", {})
    return shown


def hear(guess, answer):
    """What comes from the page."""
    predict._lines[guess._question.key]._handle_custom_msg({"answer": answer}, [])


def data(bundle):
    """What an output hands to the page's module."""
    (text,) = re.findall(r'<script type="application/json">(.*?)</script>', bundle["text/html"])
    return json.loads(text)


def root(bundle):
    """The attributes of an output's root."""
    return dict(re.findall(r'([\w-]+)="([^"]*)"', bundle["text/html"].split(">")[0]))


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
def test_an_answer_is_taken_and_kept_when_the_question_is_asked_again(kind):
    guess = ASKED[kind]()
    assert guess.answer is None
    raw, means = GIVEN[kind]
    hear(guess, raw)
    assert guess.answer == means
    again = ASKED[kind]()
    assert again.answer == means
    assert len(predict._lines) == 1, "one line for one question, however often it is asked"
    assert predict._lines[guess._question.key].state == raw, "for a page that comes later"
    hear(again, None)
    assert again.answer is None is guess.answer


@pytest.mark.parametrize("kind", ASKED)
@pytest.mark.parametrize("nonsense", ["<b>", [], [0], [[1]], {}, float("nan"), -1, 7, True, [0, 0, 1], [[9] * 4] * 3])
def test_what_a_page_should_not_send_is_no_answer(kind, nonsense):
    if kind == "number" and nonsense == 7:
        return
    guess = ASKED[kind]()
    hear(guess, nonsense)
    assert guess.answer is None
    predict._lines[guess._question.key]._handle_custom_msg(nonsense, [])
    assert guess.answer is None


def test_less_than_can_be_is_no_answer_unless_the_question_says_so():
    guess = predict.number("Colder?", "°C", least=-273.15)
    hear(guess, -3)
    assert guess.answer == -3
    hear(guess, -300)
    assert guess.answer is None


@pytest.mark.parametrize("kind", ASKED)
def test_form_and_comparison_are_words_for_everybody_and_data_for_the_page(kind, shown):
    ASKED[kind]().compare(TRUTH[kind], "since <it> is so")
    form, comparison = shown
    assert form["text/plain"].endswith(predict.PREDICT)
    assert form["text/html"].count("<p>") == 2 and "<input" not in form["text/html"], "no dead form"
    assert comparison["text/plain"] == f"{CAME[kind]}\nsince <it> is so"
    assert f'<p class="kitchen-came">{CAME[kind].replace(chr(10), "<br>")}</p>' in comparison["text/html"]
    assert "<p>since &lt;it&gt; is so</p>" in comparison["text/html"]
    assert root(form)["class"].split() == ["kitchen-box", "kitchen-asks"]
    assert root(comparison)["class"].split() == ["kitchen-box", "kitchen-compares"]
    for name in ("data-kitchen-question", "data-kitchen-session"):
        assert root(form)[name] == root(comparison)[name]
    assert root(form)["data-kitchen"] != root(comparison)["data-kitchen"]
    assert data(comparison) == data(form) | {"truth": RAW[kind]}


CAME = {
    "number": "It is 38 min.",
    "choice": "It is: “that”",
    "order": "It is: steak, boiled eggs, salad.",
    "drawing": "steak: RUNNING 0 to 2, WAITING 2 to 4\nboiled eggs: READY 0 to 2, RUNNING 2 to 3, WAITING 3 to 4\n"
    "salad: READY 0 to 3, RUNNING 3 to 4",
}
RAW = {
    "number": 38.0,
    "choice": 1,
    "order": [0, 1, 2],
    "drawing": [[1, 1, 3, 3], [2, 2, 1, 3], [2, 2, 2, 1]],
}


def test_no_output_ever_holds_an_answer(shown):
    hear(ASKED["number"](), 7077)
    ASKED["number"]().compare(38)
    assert not any("7077" in str(data(bundle)) or "7077" in bundle["text/plain"] for bundle in shown)


def test_questions_are_told_apart_by_all_that_they_ask():
    asked = [
        predict.number("How long?", "min"),
        predict.number("How long?", "s"),
        predict.choice("How long?", ["a", "b"]),
        predict.order("How long?", ["a", "b"]),
        predict.order("How long?", ["b", "a"]),
        predict.drawing("How long?", ["a", "b"], until=4),
        predict.drawing("How long?", ["a", "b"], until=5),
    ]
    assert len({guess._question.key for guess in asked}) == len(asked)


def test_a_drawing_is_compared_with_what_fills_most_of_each_piece(shown):
    guess = predict.drawing("Coarse?", LANES, until=18, step=9, states=[RUNNING, READY, WAITING, State.IDLING])
    guess.compare(simulate.sync(dinner()))
    assert data(shown[-1])["truth"][0] == [4, 4]


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


def test_truths_of_every_kind_of_number_and_list_are_understood(shown):
    ASKED["number"]().compare(Fraction(77, 2))
    assert shown[-1]["text/plain"] == "It is 38.5 min."
    ASKED["order"]().compare(iter(LANES))
    assert shown[-1]["text/plain"] == "It is: steak, boiled eggs, salad."
    for truth in (True, 10**400):
        with pytest.raises(ValueError, match="no answer"):
            ASKED["number"]().compare(truth)


def test_words_from_outside_are_escaped(shown):
    predict.order("<i>?", ["<b>one</b>", "</script>"]).compare(["<b>one</b>", "</script>"], "<u>")
    for bundle in shown:
        assert not {"<b>one", "<i>", "<u>"} & set(re.findall(r"<b>one|<i>|<u>", bundle["text/html"]))
        assert bundle["text/html"].count("</script>") == 2


def test_what_stands_between_backticks_is_code():
    assert box.marked("`a < b` and `c") == "<code>a &lt; b</code> and `c"
