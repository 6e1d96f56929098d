"""A page is asked for once more where the site asks for that: never sooner than it says, never longer than there is time."""

import asyncio
import math
import threading
import time
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from kitchen import fetch
from kitchen.timeline import IDLING, WAITING
from kitchen.web import page
from kitchen.web.blocking import Blocking
from kitchen.web.client import Run


def cooperative(*args, **kwargs):
    return asyncio.run(fetch.cooperative(*args, **kwargs))


@pytest.fixture(params=[fetch.sync, fetch.threaded, cooperative], ids=["sync", "threaded", "cooperative"])
def way(request):
    return request.param


@pytest.fixture
def busy_site():
    """A site that answers with the statuses that a page's name lists, one after the other: /429,3/503/200 waits 3 s."""

    class Busy(BaseHTTPRequestHandler):
        def do_GET(self):
            asked[self.path].append(time.monotonic())
            answers = self.path.strip("/").split("/")
            status, _, pause = answers[min(len(asked[self.path]), len(answers)) - 1].partition(",")
            self.send_response(int(status))
            if pause:
                self.send_header("Retry-After", pause.replace("_", " "))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    asked = defaultdict(list)
    with ThreadingHTTPServer(("127.0.0.1", 0), Busy) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


def test_who_is_told_too_many_asks_once_more(way, busy_site, monkeypatch):
    monkeypatch.setattr(page, "FIRST_PAUSE", 0.05)
    base, asked = busy_site
    urls = [base + path for path in ("/429/503/200", "/429", "/503/200", "/500/200", "/200")]
    results, timeline = way(urls, retries=2)
    assert [result.status for result in results] == [200, 429, 200, 500, 200]
    assert [len(asked[url.removeprefix(base)]) for url in urls] == [3, 3, 2, 1, 1]
    resting = IDLING if way is fetch.sync else WAITING
    pauses = [
        [span for span in spans if span.label == page.PAUSING and span.state is resting]
        for spans in timeline.by_lane.values()
    ]
    assert [len(spans) for spans in pauses] == [2, 2, 1, 0, 0]
    for pause, at_least in zip(pauses[0], (0.5 * 0.05, 0.5 * 0.1), strict=True):  # 0.5 to 1 times what doubles
        assert pause.duration >= 0.95 * at_least
    assert timeline.outcomes == {}


def test_nobody_is_asked_again_unless_one_says_so(way, busy_site):
    base, asked = busy_site
    assert [result.status for result in way([f"{base}/429/200"]).results] == [429]
    assert len(asked["/429/200"]) == 1


def test_the_site_says_how_long_to_pause(way, busy_site, monkeypatch):
    monkeypatch.setattr(page, "FIRST_PAUSE", 1000.0)
    base, asked = busy_site
    [result] = way([f"{base}/429,0/200"], retries=1).results
    assert result.status == 200
    assert len(asked["/429,0/200"]) == 2


def test_a_pause_that_would_outlast_the_timeout_is_not_begun(way, busy_site):
    base, asked = busy_site
    [result] = way([f"{base}/429,3600/200"], retries=1, timeout=5).results
    assert (result.status, result.error) == (429, None)
    assert len(asked["/429,3600/200"]) == 1


def test_a_pause_is_a_number_of_seconds_or_a_date():
    then = datetime.now(UTC) + timedelta(seconds=100)
    assert page.retry_after("7") == 7
    assert page.retry_after(format_datetime(then, usegmt=True)) == pytest.approx(100, abs=5)
    assert page.retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0
    assert [page.retry_after(text) for text in ("", "soon", "-1", "1.5", "nan", "\x00")] == [None] * 6
    assert page.retry_after("9" * 5000) == math.inf
    assert page.retry_after("Fri, 31 Dec 99999 23:59:59 GMT") is None


def test_an_interrupt_ends_a_pause(busy_site):
    base, _ = busy_site
    run = Run("threads", [f"{base}/429,30/200"], 60, retries=1)
    began = time.monotonic()
    engine = Blocking(run)
    timer = threading.Timer(0.3, engine.interrupt)
    timer.start()
    with run:
        engine.get(0, WAITING)
    timer.join()
    assert time.monotonic() - began < 15  # half of the pause
    assert run.fetched().results[0].error == "interrupted before it was finished"


@pytest.mark.parametrize("retries", [-1, 1.5, "3", None])
def test_retries_are_a_whole_number(way, retries):
    with pytest.raises(ValueError, match=r"retries=.*whole number, 0 or more"):
        way(["http://127.0.0.1/"], retries=retries)
