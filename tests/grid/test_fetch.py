"""Fetching for real, from a site on this machine: one result and one lane for each URL asked for, whatever happens."""

import asyncio
import json
import math
import os
import signal
import subprocess
import sys
import threading
from itertools import pairwise

import pytest

from kitchen import fetch
from kitchen.timeline import IDLING, READY, RUNNING, WAITING
from kitchen.web.site import FAULTS, serve


def cooperative(*args, **kwargs):
    return asyncio.run(fetch.cooperative(*args, **kwargs))


WAYS = {"sync": fetch.sync, "threaded": fetch.threaded, "cooperative": cooperative}
PHASES = ["connecting", "sending", "waiting for the answer", "reading"]


@pytest.fixture(params=WAYS)
def way(request):
    return WAYS[request.param]


@pytest.fixture(scope="module")
def site():
    with serve(delay=0.05) as site:
        yield site


def test_results_come_in_the_order_asked_with_a_lane_each(way, site):
    urls = site.urls(12)
    results, timeline = way(urls)
    assert [result.url for result in results] == urls
    assert all(result.status == 200 and result.error is None for result in results)
    assert all(
        isinstance(result.body, bytes) and f"Page {n}".encode() in result.body for n, result in enumerate(results)
    )
    assert timeline.lanes == tuple(urls)
    assert timeline.unit == "s"


def test_it_says_in_a_line_what_it_is(way, site):
    fetched = way(site.urls(3, faults={1: "refuse"}))
    assert repr(fetched) == "<Fetched: 3 results, of which 1 could not be had>"
    assert fetched == (fetched.results, fetched.timeline)


def test_a_lane_tells_the_phases_of_its_url(way, site):
    _, timeline = way(site.urls(3))
    for spans in timeline.by_lane.values():
        assert spans[0].start == 0
        assert all(before.end == after.start for before, after in pairwise(spans))
        seen = list(dict.fromkeys(span.label for span in spans))
        assert [phase for phase in seen if phase in PHASES] == seen
        assert {"connecting", "waiting for the answer", "reading"} <= set(seen)
        resting = [span for span in spans if span.label == "waiting for the answer" and span.state in (IDLING, WAITING)]
        assert {span.state for span in resting} == {IDLING if way is fetch.sync else WAITING}
        assert RUNNING in {span.state for span in spans}
    assert 0 < timeline.utilization < 1


def test_sync_takes_turns_and_the_others_overlap_their_waits(site):
    urls = site.urls(10)
    sync = fetch.sync(urls)
    assert all(
        before.end <= after.start
        for before, after in pairwise([spans[-1] for spans in sync.timeline.by_lane.values()])
        if before.state is IDLING
    )
    assert sync.timeline.makespan > 10 * 0.05
    for way in fetch.threaded, cooperative:  # in one run: what else the computer does makes the waits longer, too
        timeline = way(urls).timeline
        waits = sum(span.duration for span in timeline.spans if span.label == "waiting for the answer")
        assert waits > 2 * timeline.makespan


def test_a_url_asked_for_twice_is_fetched_twice_on_two_lanes(way, site):
    url = site.url(1)
    results, timeline = way([url, url, url])
    assert [result.status for result in results] == [200, 200, 200]
    assert timeline.lanes == (url, f"{url} (2)", f"{url} (3)")
    assert all(timeline.by_lane.values())


@pytest.mark.long
def test_a_url_that_cannot_be_had_costs_no_other_its_result(way, site):
    faults = dict(enumerate([404, 503, *FAULTS], start=1))
    urls = site.urls(11, faults)
    results, timeline = way(urls, timeout=2.0)
    by_fault = {fault: results[number] for number, fault in faults.items()}
    assert [result.url for result in results] == urls
    assert results[0].status == results[10].status == 200
    assert (by_fault[404].status, by_fault[503].status) == (404, 503)
    assert by_fault[404].error is None
    for fault in FAULTS:
        assert by_fault[fault].status is None, fault
        assert by_fault[fault].error, fault
        assert "\n" not in by_fault[fault].error
    for fault in ("drip", "never"):
        assert by_fault[fault].error == "timed out: not done within 2 s"
    assert 0 < len(by_fault["cut"].body) < len(results[0].body)  # what had come is kept
    assert len(by_fault["drip"].body) > 0
    assert len(timeline.lanes) == 11
    assert all(timeline.by_lane.values())


def test_a_redirect_is_followed_and_a_loop_is_not_for_ever(way, site):
    [result] = way([site.url(3, fault="loop", delay=0)], timeout=20.0).results
    assert result.status is None
    assert "TooManyRedirects" in result.error


@pytest.mark.long
def test_timeout_bounds_the_whole_url_a_drip_too(way, site):
    timeline = way([site.url(1, fault="drip", delay=0), site.url(2)], timeout=3.0).timeline
    drip, good = timeline.lanes
    assert 3.0 <= timeline.finishes[drip] < 2 * 3.0  # a second chunk never starts a second timeout
    assert timeline.finishes[good] < timeline.finishes[drip] + 3.0


NONSENSE = [
    "",
    "nonsense",
    "http://",
    "ftp://example.org/",
    "//",
    "http://\ud800/",
    "http://[::1",
    None,
    7,
    b"http://x",
]


def test_nonsense_instead_of_a_url_is_a_result_as_well(way, site):
    results, timeline = way([*NONSENSE, site.url(1)])
    assert [result.url for result in results[:-1]] == NONSENSE
    assert all(result.status is None and result.error for result in results[:-1])
    assert results[-1].status == 200
    assert len(timeline.lanes) == len(set(timeline.lanes)) == len(NONSENSE) + 1
    json.loads(timeline.to_json())


def test_failures_are_those_without_an_answer(way, site):
    fetched = way(site.urls(3, faults={0: 500, 1: "refuse"}))
    assert [result.url for result in fetched.failures] == [site.url(1, fault="refuse")]


def test_no_urls(way):
    results, timeline = way([])
    assert results == []
    assert timeline.lanes == ()


def test_bad_arguments_are_refused_before_the_first_request(way, site):
    with pytest.raises(TypeError, match="list of URLs"):
        way(site.url(1))
    for timeout in (0, -1, math.nan, math.inf, 1e300, 10**400, None, "5"):
        with pytest.raises(ValueError, match="timeout"):
            way(site.urls(1), timeout=timeout)
    if way is not fetch.sync:
        for number in (0, -1, 2.5, None):
            with pytest.raises(ValueError, match="give a whole number, 1 or more"):
                way(site.urls(1), **{"workers" if way is fetch.threaded else "limit": number})


@pytest.mark.parametrize(
    "bounded", [lambda urls: fetch.threaded(urls, workers=3), lambda urls: cooperative(urls, limit=3)]
)
def test_at_most_so_many_at_once(bounded, site):
    """Counted on the lanes: a lane is at it while it is past its place in the queue, and not over."""
    results, timeline = bounded(site.urls(12))
    assert all(result.status == 200 for result in results)
    moments = []
    for spans in timeline.by_lane.values():
        asking = [span for span in spans if span.label in PHASES and span.state is not READY]
        moments += [(asking[0].start, 1), (asking[-1].end, -1)]
    now = most = 0
    for _, step in sorted(moments):
        now += step
        most = max(most, now)
    assert most == 3
    queued = [
        lane
        for lane, spans in timeline.by_lane.items()
        if spans[0].label == "waiting for a place" or spans[1].label == "waiting for a place"
    ]
    assert len(queued) == 9


def test_ready_shows_when_many_answers_come_at_once(site):
    """Forty answers at the same time and one cook: those who have theirs queue for her, and that is not waiting."""
    timeline = cooperative(site.urls(40)).timeline
    ready = [span for span in timeline.spans if span.state is READY and span.start > 0]
    assert len(ready) > 20
    assert all(span.inferred for span in ready)
    running = sorted((span for span in timeline.spans if span.state is RUNNING), key=lambda span: span.start)
    assert all(before.end <= after.start for before, after in pairwise(running))  # one cook


def test_nothing_is_left_behind(way, site):
    before = threading.active_count()
    way(site.urls(5, faults={2: "never", 3: "drip"}), timeout=0.5)
    assert threading.active_count() == before


def test_a_proxy_in_the_environment_is_not_asked_for_this_machine(way, site, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    [result] = way(site.urls(1)).results
    assert result.status == 200


@pytest.mark.long
@pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal")
@pytest.mark.parametrize("name", WAYS)
def test_an_interrupt_leaves_nothing_behind_and_loses_nothing(name):
    call = {
        "sync": "fetch.sync(urls)",
        "threaded": "fetch.threaded(urls, workers=8)",
        "cooperative": "asyncio.run(fetch.cooperative(urls, limit=8))",
    }[name]
    program = f"""
import asyncio, gc, os, threading
from kitchen import fetch
from kitchen.web.site import serve

with serve(delay=0.01) as site:
    urls = site.urls(20, faults={{1: "never", 3: "drip"}})
    def files():
        gc.collect()
        return len(os.listdir("/dev/fd"))
    fetch.sync(urls[:1])
    before = files()
    timer = threading.Timer(1, print, ["begun"], {{"flush": True}})
    timer.start()
    try:
        {call}
    except KeyboardInterrupt:
        timer.join()
        assert threading.active_count() == 1, threading.enumerate()
        assert files() <= before + 1, (files(), before)
        results, timeline = fetch.so_far()
        assert [result.url for result in results] == urls
        assert results[0].status == 200 and results[0].body, results[0]
        assert results[1].status is None and "interrupted" in results[1].error, results[1]
        assert all(timeline.by_lane.values())
        assert max(timeline.finishes.values()) == timeline.makespan
        assert timeline.utilization < 0.5  # who is interrupted while it waits has not been running
        print("clean", flush=True)
"""
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    watchdog = threading.Timer(120, os.kill, [process.pid, signal.SIGKILL])
    watchdog.start()
    with process:
        try:
            assert process.stdout.readline() == "begun\n"
            process.send_signal(signal.SIGINT)
            assert process.stdout.readline() == "clean\n"
            assert process.wait() == 0
        finally:
            watchdog.cancel()


def test_cancelling_the_await_keeps_what_has_come(site):
    urls = site.urls(6, faults={4: "never"})

    async def impatient():
        task = asyncio.create_task(fetch.cooperative(urls))
        await asyncio.sleep(0)  # now it has begun
        while not fetch.so_far().results[5].status:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return len(asyncio.all_tasks())

    assert asyncio.run(impatient()) == 1
    fetched = fetch.so_far()
    assert [result.status for result in fetched.results] == [200, 200, 200, 200, None, 200]
    assert "interrupted" in fetched.results[4].error
    assert fetched.timeline.busy < fetched.timeline.makespan
    running = sorted((span for span in fetched.timeline.spans if span.state is RUNNING), key=lambda span: span.start)
    assert all(before.end <= after.start for before, after in pairwise(running))


def test_a_user_and_a_password_in_the_url_are_taken_along(way, site):
    [result] = way([site.url(1).replace("://", "://cook:pa%3Ass@")]).results
    assert result.status == 200, result.error
