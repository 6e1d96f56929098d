"""What both engines share: results, lanes, pauses, and what is checked before the first request."""

import pytest

from kitchen.timeline import WAITING
from kitchen.web import client
from kitchen.web.client import Fetched, Result, Run, check_files
from kitchen.web.library import httpx


def came(run, lane, body):
    page = run.page(lane)
    page.status = 200
    page.keep(body)
    return page


def test_a_run_keeps_a_result_per_lane_in_the_order_asked():
    with Run("threads", ["http://a/", "http://b/", "http://c/"], timeout=1) as run:
        run.settle(2, came(run, 2, b"page"))
        run.settle(0, came(run, 0, b"half a p"), httpx.ReadError("cut"))
    results, timeline = run.fetched()
    assert results[2] == Result("http://c/", 200, b"page", None)
    assert (results[0].status, results[0].body) == (None, b"half a p")
    assert results[0].error == "ReadError: cut"
    assert results[1] == Result("http://b/", None, b"", "interrupted before it was finished")
    assert timeline.outcomes == {"http://a/": results[0].error, "http://b/": "unfinished"}


def test_the_newest_run_is_known_by_its_class():
    run = Run("sync", [], timeout=1)
    assert Run.newest is run


def test_what_could_not_be_had_is_counted_and_told_in_a_line():
    results = [Result("http://a/", 404, b"", None), Result("http://b/", None, b"", "refused")]
    fetched = Fetched(results, None)
    assert fetched.failures == results[1:]
    assert repr(fetched) == "<Fetched: 2 results, of which 1 could not be had>"


def test_every_lane_has_a_name_of_its_own_whatever_the_urls_are():
    urls = ["x", "x", "x (2)", "", "", None, "\ud800", "x"]
    lanes = Run("sync", urls, timeout=1).lanes
    assert len(set(lanes)) == len(urls)
    assert lanes[:3] == ("x", "x (2)", "x (2) (2)")
    assert all(lane for lane in lanes)
    "".join(lanes).encode()


def test_those_for_whom_there_is_no_place_wait_from_the_beginning():
    with Run("coroutines", ["http://a/", "http://b/"], timeout=1) as run:
        run.line_up(1)
    [*_, last] = run.timeline().by_lane["http://b/"]
    assert (last.start, last.state, last.label) == (0, WAITING, client.PLACE)


def test_a_body_is_bounded_and_what_fits_is_kept():
    page = Run("sync", ["http://a/"], timeout=1, max_bytes=5).page(0)
    page.keep(b"good")
    with pytest.raises(httpx.ReadError, match="too large: more than 5 bytes"):
        page.keep(b"morning")
    assert page.body == b"goodm"


@pytest.mark.parametrize(("connections", "fits"), [(10, True), (150, False)])
def test_too_few_open_files_are_told(connections, fits, monkeypatch):
    resource = pytest.importorskip("resource", reason="Windows counts no sockets as files")
    monkeypatch.setattr(resource, "getrlimit", lambda _: (150, 4096))
    if fits:
        check_files(connections)
    else:
        with pytest.raises(ValueError, match="150 connections at once need as many open files"):
            check_files(connections)
