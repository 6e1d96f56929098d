"""A busy computer is told of in a card; where KITCHEN_STRICT is set, it is an error."""

import pytest

from kitchen import steady
from kitchen.lesson import steady as module
from kitchen.lesson.steady import BUSY, STRICT


@pytest.fixture
def shown(monkeypatch):
    """What is shown, as a list of bundles."""
    bundles = []
    monkeypatch.setattr(module, "display", lambda bundle, raw: bundles.append(bundle))
    return bundles


@pytest.mark.parametrize("strict", ["", "1"])
def test_nothing_is_said_where_all_is_well(strict, monkeypatch, shown):
    monkeypatch.setenv(STRICT, strict)
    steady(True)
    assert shown == []


def test_a_reader_gets_a_card_and_no_traceback(monkeypatch, shown):
    monkeypatch.delenv(STRICT, raising=False)
    steady(False)
    steady(2 < 1, "the `loop` was late")
    first, second = shown
    assert first["text/plain"] == BUSY and "kitchen-wrong" in first["text/html"]
    assert "<code>loop</code>" in second["text/html"]


def test_a_test_gets_an_error(monkeypatch, shown):
    monkeypatch.setenv(STRICT, "1")
    with pytest.raises(AssertionError, match="busy"):
        steady(False)
    assert shown == []
