"""Three ways, one answer: whatever a site does, status, body and error are the same, in bounded time and memory."""

import asyncio
import gc
import os
import random
import socket
import threading
import time
import tracemalloc
import warnings
from contextlib import suppress
from urllib.parse import unquote

import pytest
from helpers.hostile import Hostile
from helpers.kinds import KINDS, TIMED_OUT

from kitchen import fetch
from kitchen.watching.cpu import one_at_a_time
from kitchen.web import coroutines
from kitchen.web.client import PLACE

PATIENCE_SECONDS = 60.0  # what a page may take that comes: this computer may have other things to do
MAX_BYTES = 5_000_000


def cooperative(*args, **kwargs):
    return asyncio.run(fetch.cooperative(*args, **kwargs))


WAYS = {"sync": fetch.sync, "threaded": fetch.threaded, "cooperative": cooperative}


@pytest.fixture(scope="module")
def site():
    with Hostile() as site:
        yield site


@pytest.fixture(params=WAYS)
def way(request):
    return WAYS[request.param]


def check(kind, result):
    """The result of one kind is what is to come of it."""
    expected = KINDS[kind]
    assert (result.status, (result.error or "")[: len(expected.error)]) == (expected.status, expected.error), kind
    assert (result.error is None) == (not expected.error), kind
    if expected.body is not None:
        assert result.body == expected.body, kind
    if result.error:
        assert len(result.error) <= 200, kind
        assert result.error.isprintable(), kind


SLOW = [kind for kind in KINDS if KINDS[kind].error == TIMED_OUT]  # these take all of the time that one gives them
QUICK = [kind for kind in KINDS if kind not in SLOW]


@pytest.fixture(scope="module")
def fetched(site):
    """What each of the three ways makes of all kinds that do not use up their time."""
    urls = [site.url(kind) for kind in QUICK]
    return {name: way(urls, timeout=PATIENCE_SECONDS, max_bytes=MAX_BYTES) for name, way in WAYS.items()}


@pytest.mark.parametrize("name", WAYS)
def test_each_kind_has_the_outcome_that_it_should_have(name, fetched):
    results, timeline = fetched[name]
    for kind, result in zip(QUICK, results, strict=True):
        check(kind, result)
    assert all(timeline.by_lane.values())


def test_the_three_ways_agree_to_the_byte(fetched):
    first, *others = [results for results, _ in fetched.values()]
    for results in others:
        assert results == first


def test_a_loop_that_does_the_waiting_itself_finds_the_same(site, monkeypatch):
    """As on Windows: there it does not tell when a socket is ready."""
    monkeypatch.setattr(coroutines, "_line_for", lambda loop: coroutines._Overlapped)
    for kind, result in zip(QUICK, cooperative(map(site.url, QUICK), max_bytes=MAX_BYTES).results, strict=True):
        check(kind, result)


@pytest.mark.long
@pytest.mark.parametrize("name", WAYS)
def test_what_takes_too_long_is_over_in_time_and_keeps_no_other(name, site):
    kinds = SLOW if name != "sync" else ["a drip after a pause", "endless hints"]
    results, timeline = WAYS[name](map(site.url, kinds), timeout=1.0)
    for kind, result in zip(kinds, results, strict=True):
        check(kind, result)
    assert all(sum(span.duration for span in spans if span.label != PLACE) < 30 for spans in timeline.by_lane.values())


LARGE = ["a bomb", "a bomb in a bomb", "an endless page"]
MANY = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not one_at_a_time(),
        reason="without a GIL each of the many threads, the site's too, takes up to 0.3 MB that is counted here",
    ),
]


@pytest.mark.parametrize("kinds", [LARGE, pytest.param(QUICK, marks=MANY)], ids=["large", "all"])
def test_a_page_takes_little_more_memory_than_it_may_have_bytes(way, kinds, site):
    tracemalloc.start()
    try:
        results, _ = way(map(site.url, kinds), timeout=PATIENCE_SECONDS, max_bytes=MAX_BYTES)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert sum(len(result.body) == MAX_BYTES for result in results) == len(LARGE)
    assert most < sum(len(result.body) for result in results) + 2 * MAX_BYTES


def test_every_url_has_a_connection_of_its_own(way, site):
    before = site.connections
    way([site.url("own", number) for number in range(4)])
    assert site.connections - before == 4


AS_GIVEN = ["/a/%2e%2e/b", "/f?sig=a%2Fb%3D&x=%27", "/%28bracket%29", "/100%25", "//own", "/a;b=c", "/own?a=b&&c", "/?"]
WRITTEN_OUT = {"": "/", "?x": "/?x", "/own#part": "/own", "/a b": "/a%20b", "/ü": "/%C3%BC", "/own?ü": "/own?%C3%BC"}


def test_what_was_given_is_asked_for(way, site):
    site.asked.clear()
    urls = [f"http://127.0.0.1:{site.port}{path}" for path in [*AS_GIVEN, *WRITTEN_OUT]]
    assert [result.error for result in way(urls).results] == [None] * len(urls)
    asked = {head.split(b" ")[1].decode() for head in site.asked}
    assert asked == {*AS_GIVEN, *WRITTEN_OUT.values()}


ODD = [
    "http://127.0.0.1:0/",
    "http://127.0.0.1:65536/",
    "http://a..b/",
    "http://[::1",
    "http://@/",
    "http:///x",
    "http://x\ty/",
]


def test_odd_urls_end_in_the_same_words(site):
    first, *others = [way(ODD, timeout=PATIENCE_SECONDS).results for way in WAYS.values()]
    assert all(result.error for result in first)
    assert others == [first, first]


CROWDS = {"sync": {}, "threaded": {"workers": 8}, "cooperative": {"limit": 100}}


def batch(site, kinds, rng):
    """The URLs of these kinds and as many good ones, in any order; each asks for a page of its own."""
    urls = [site.url(kind, number) for number, kind in enumerate(kinds)]
    urls += [site.url("own", number) for number in range(len(kinds))]
    rng.shuffle(urls)
    return urls


def check_all(site, results):
    """Whoever stands beside it: each good URL has its own page, and each other one what is to come of it."""
    for result in results:
        path = result.url.removeprefix(f"http://127.0.0.1:{site.port}")
        kind = unquote(path[1:].partition("?")[0])
        if kind == "own":
            assert (result.status, result.body.decode()) == (200, path), result.error
        else:
            check(kind, result)


@pytest.mark.parametrize("name", ["threaded", "cooperative"])
def test_every_good_url_has_its_own_page_whoever_stands_beside_it(name, site):
    urls = batch(site, QUICK, random.Random(1))
    check_all(site, WAYS[name](urls, **CROWDS[name], timeout=PATIENCE_SECONDS, max_bytes=MAX_BYTES).results)


@pytest.mark.slow
@pytest.mark.parametrize("name", WAYS)
def test_twenty_times_in_a_row_those_that_take_too_long_among_them(name, site):
    """One after the other, only one of these: they use up their time. Each is over soon after, and nothing is left."""
    rng, timeout = random.Random(7), 3.0
    before = there()
    for _ in range(20):
        slow = rng.sample(SLOW, 1) if name == "sync" else SLOW
        places = {} if name == "sync" else {next(iter(CROWDS[name])): rng.choice([8, 30, 100])}
        urls = batch(site, [*QUICK, *slow], rng)
        results, timeline = WAYS[name](urls, **places, timeout=timeout, max_bytes=MAX_BYTES)
        check_all(site, results)
        for spans in timeline.by_lane.values():
            assert sum(span.duration for span in spans if span.label != PLACE and span.start) < 10 * timeout
    assert left_since(before) == set()


def test_a_site_that_does_not_listen_ends_in_one_way(way):
    """Whether it seems to close or to reset the connection hangs on who is quicker."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listening:

        def hang_up():
            with suppress(OSError):
                while True:
                    listening.accept()[0].close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        results = way([f"http://127.0.0.1:{listening.getsockname()[1]}/{number}" for number in range(50)]).results
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()
    assert {result.error for result in results} == {
        "ReadError: reset or closed: the site ended the connection without an answer"
    }


def there():
    """All threads and open files of this process, each with what tells it from the next one of its number."""
    found = set(threading.enumerate())
    for number in os.listdir("/dev/fd") if os.path.isdir("/dev/fd") else ():
        with suppress(OSError):  # the folder itself, which was open while it was read
            file = os.fstat(int(number))
            found.add((int(number), file.st_dev, file.st_ino))
    return found


def left_since(before):
    """What is new, when the site's own threads and files have had the time to see that we are done."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (left := there() - before) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


def test_nothing_is_left_behind(way, site):
    """What was there before may end meanwhile, late connections of other tests say; nothing new may stay."""
    kinds = ["reset in the page", "a bomb", "silent", "sent on to itself", "garbage", "gzip cut", "length"]
    way([site.url("length")])
    before = there()
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        way([site.url(kind) for kind in kinds], timeout=0.5, max_bytes=MAX_BYTES)
        gc.collect()
    assert [str(warning.message) for warning in warned] == []
    assert left_since(before) == set()
