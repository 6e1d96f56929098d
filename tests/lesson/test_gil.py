"""You are the GIL: all that can become of two threads, against plain brute force; and what the page gets of it."""

import json
import re
from itertools import permutations

import pytest

from kitchen import TwoThreads
from kitchen.lesson.gil import DEADLOCK, FINE, LOST

ADD = "seen = counter\nseen = seen + 1\ncounter = seen"
CHOP = "knife.acquire()\nboard.acquire()\nsalads = salads + 1\nboard.release()\nknife.release()"
OTHER = "board.acquire()\nknife.acquire()\nsalads = salads + 1\nknife.release()\nboard.release()"


def brute_force(a, b, counter=0):
    """What the counter says after each order of the steps, with no lock: run as plain Python."""
    found = {}
    for order in set(permutations("A" * len(a) + "B" * len(b))):
        shared, own, at = {"counter": counter}, {"A": {}, "B": {}}, {"A": 0, "B": 0}
        for name in order:
            names = shared | own[name]
            exec((a, b)["AB".index(name)][at[name]], {}, names)
            at[name] += 1
            shared = {"counter": names["counter"]}
            own[name] = names
        found["".join(order)] = shared["counter"]
    return found


def test_every_order_ends_as_plain_python_says():
    threads, found = TwoThreads(ADD, ADD, counter=0), brute_force(ADD.split("\n"), ADD.split("\n"))
    assert threads.count(LOST) == sum(value == 1 for value in found.values()) == 18
    assert threads.count(FINE) == sum(value == 2 for value in found.values()) == 2
    assert threads.count(DEADLOCK) == 0 and threads.shortest(DEADLOCK) is None
    assert found[threads.shortest(LOST)] == 1
    assert threads.goal == LOST


def test_a_deadlock_is_found_in_two_steps_and_the_same_order_of_locks_makes_it_impossible():
    threads = TwoThreads(CHOP, OTHER, salads=0)
    assert threads.shortest(DEADLOCK) == "AB"
    assert list(threads.told("AB"))[-1] == "Nobody can take a step: A waits for board and B waits for knife."
    assert threads.goal == DEADLOCK
    same = TwoThreads(CHOP, CHOP, salads=0)
    assert same.shortest(DEADLOCK) is same.shortest(LOST) is None
    assert same.goal == FINE and same.count(FINE) == 2


def test_a_lock_that_is_kept_lets_nobody_in_not_even_its_own_thread():
    assert TwoThreads("x.acquire()", "x.acquire()\nn = 1", n=0).shortest(DEADLOCK) == "A"
    assert TwoThreads("x.acquire()\nx.acquire()", "n = 1", n=0).count(FINE) == 0


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("x.release()", "thread A: `x.release()`, and nobody holds it"),
        ("m = lost", "thread A: `m = lost` raises NameError"),
        ("print(n)", "thread A: `print(n)` raises NameError"),
        ("", "each thread needs a line or more"),
    ],
)
def test_a_line_that_fails_is_told(line, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        TwoThreads(line, "n = 1", n=0)


def test_too_much_is_refused():
    with pytest.raises(ValueError, match="more than 5000 situations"):
        TwoThreads("n = n + 1\n" * 200, "n = n * 2\n" * 200, n=0)


def test_a_variable_of_its_own_is_no_business_of_the_other_thread():
    assert TwoThreads("mine = 1\nn = mine", "mine = 2\nn = mine", n=0).situations[-1].own == ({"mine": 1}, {"mine": 2})


def facts_of(html):
    return json.loads(re.search(r'<script type="application/json">(.*?)</script>', html, flags=re.DOTALL)[1])


def test_the_page_has_all_that_it_needs_to_play():
    threads = TwoThreads(ADD, ADD, counter=0)
    facts = facts_of(threads.html())
    here = 0
    for name in threads.shortest(LOST):
        assert not facts["situations"][here]["end"]
        here = facts["moves"][here]["AB".index(name)]
    assert facts["situations"][here]["end"] == facts["goal"] == LOST
    assert facts["situations"][here]["seen"] == "counter = 1"


def test_without_scripts_the_lines_and_a_shortest_order_are_there():
    threads = TwoThreads("a = '<script>'\nn = 1", "n = 2", n=0)
    html = threads.html()
    assert "&lt;script&gt;" in html and "a = '<script>'" not in html
    assert "<details><summary>A shortest order that ends well" in html
    bundle = threads._repr_mimebundle_()
    assert "n = 2" in bundle["text/plain"] and set(bundle) == {"text/html", "text/plain"}
