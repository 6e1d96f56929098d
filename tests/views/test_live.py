"""The live view without a page: what is sent while a run goes on, and what is left when it is over."""

import threading
from types import SimpleNamespace

import pytest

from kitchen import Dish, dinner, perform, wait, work
from kitchen.recorder import Recorder
from kitchen.timeline import READY, RUNNING, WAITING
from kitchen.views import live
from kitchen.views.player import ROW


@pytest.fixture
def view():
    return live.View("by hand")


def record(view, lanes=("a", "b"), began=0.0):
    recorder = Recorder(lanes, "run", clock=lambda: began)
    view.recorders.append(recorder)
    return recorder


def told(message):
    """The rows of a message's first run: time, lane, state."""
    return [(time, lane, what & 7) for time, lane, what in ROW.iter_unpack(message[1][0])]


def test_only_what_is_new_is_told(view):
    news = live.News(view)
    assert news.message() == ({"runs": [], "now": 0.0}, [])
    recorder = record(view)
    first, _ = message = news.message()
    assert first["runs"][0]["head"] == {
        "lanes": ["a", "b"],
        "title": "run",
        "unit": "s",
        "offset": 0.0,
        "live": True,
    }
    assert told(message) == [(0, 0, 2), (0, 1, 2)]
    recorder.change(1, RUNNING, "x", at=1.0)
    assert not news.whole
    second, _ = message = news.message()
    assert "head" not in second["runs"][0]
    assert (second["runs"][0]["from"], second["runs"][0]["labelsFrom"], second["runs"][0]["labels"]) == (2, 1, ["x"])
    assert told(message) == [(1, 1, 1)]
    assert news.whole
    assert news.message()[1] == [b""]


def test_everything_is_told_again_when_it_should_be(view):
    news = live.News(view)
    recorder = record(view)
    recorder.change(0, RUNNING, "x", at=1.0)
    first = news.message()
    recorder.change(0, WAITING, "y", at=2.0)
    news.again()
    again, _ = message = news.message()
    assert told(message) == [*told(first), (2, 0, 3)]
    assert "head" in again["runs"][0]
    assert again["runs"][0]["labels"] == ["", "x", "y"]


def test_a_long_log_goes_in_pieces_and_has_ended_with_the_last(view, monkeypatch):
    monkeypatch.setattr(live, "ROWS_IN_MESSAGE", 3)
    news = live.News(view)
    recorder = record(view)
    for time in range(5):
        recorder.change(0, RUNNING, "x", at=float(time))
    recorder.close()
    pieces = [news.message() for _ in range(3)]
    assert [len(told(piece)) for piece in pieces] == [3, 3, 1]
    assert [piece[0]["runs"][0]["ended"] for piece in pieces] == [None, None, 0.0]
    assert news.whole


def test_runs_begin_when_they_begin(view):
    record(view, began=100.0)
    record(view, began=102.5)
    message, _ = live.News(view).message()
    assert [run["head"]["offset"] for run in message["runs"]] == [0, 2.5]
    assert view.offsets == [0, 2.5]


# --- lanes that are added while a run goes on ------------------------------------------------------------------------


class Growing(Recorder):
    """A run whose lanes become more. It counts how often its log is asked for."""

    def __init__(self, clock=lambda: 0.0):
        self.asked = 0
        super().__init__((), "watched", clock)

    def catch_up(self):
        self.asked += 1

    def add(self, name, parent=None):
        self.change(self.add_lane(name, parent), READY, at=float(len(self.lanes)))


@pytest.fixture
def growing(view):
    recorder = Growing()
    view.recorders.append(recorder)
    return recorder


def test_lanes_are_told_as_they_come(view, growing):
    news = live.News(view)
    assert news.message()[0]["runs"][0]["head"]["lanes"] == []
    growing.add("main")
    assert not news.whole
    second = news.message()[0]["runs"][0]
    assert second["head"]["lanes"] == ["main"]  # nothing was told yet but that there is a run
    growing.add("task \u2028\x1b", parent=0)
    growing.add("other", parent=1)
    third = news.message()[0]["runs"][0]
    assert "head" not in third
    assert (third["lanesFrom"], third["lanes"], third["parents"]) == (1, ["task ??", "other"], {1: 0, 2: 1})
    assert news.whole
    fourth = news.message()[0]["runs"][0]
    assert (fourth["lanesFrom"], fourth["lanes"]) == (3, [])
    assert "parents" not in fourth


def test_a_lane_on_which_nothing_happens_is_news(view, growing):
    news = live.News(view)
    growing.add("main")
    news.message()
    growing.add_lane("silent")
    assert not news.whole
    assert news.message()[0]["runs"][0]["lanes"] == ["silent"]
    assert news.whole


def test_all_lanes_are_told_again_when_everything_is(view, growing):
    news = live.News(view)
    growing.add("main")
    news.message()
    growing.add("task", parent=0)
    news.message()
    news.again()
    assert not news.whole
    again = news.message()[0]["runs"][0]
    assert (again["head"]["lanes"], again["parents"]) == (["main", "task"], {1: 0})


def test_lanes_are_told_again_also_when_nothing_has_happened_on_them(view, growing):
    news = live.News(view)
    growing.add_lane("silent")
    news.message()
    assert news.whole
    news.again()
    assert not news.whole


def test_lanes_are_told_before_what_happens_on_them(view, growing, monkeypatch):
    monkeypatch.setattr(live, "ROWS_IN_MESSAGE", 2)
    news = live.News(view)
    for number in range(5):
        growing.add(f"task {number}")
    known = 0
    while not news.whole:
        message = news.message()
        (run,) = message[0]["runs"]
        known = max(known, run.get("lanesFrom", 0) + len(run["lanes"] if "lanes" in run else run["head"]["lanes"]))
        assert all(lane < known for _, lane, _ in told(message))
    assert known == 5


def test_a_log_is_asked_for_once_in_a_message(view, growing):
    news = live.News(view)
    growing.add("main")
    for _ in range(3):
        growing.asked = 0
        news.message()
        assert growing.asked == 1
        growing.add("task")


class Page:
    """A page that writes down what it is told."""

    def __init__(self, deaf=False):
        self.heard, self.deaf = [], deaf

    def on_msg(self, ask):
        self.ask = ask

    def send(self, message, rows):
        if self.deaf:
            raise RuntimeError("nobody there")
        self.heard.append((message, rows))


def rows_of(heard):
    """All rows of the first run that a page has, if it drops what it knows already."""
    rows = b""
    for message, buffers in heard:
        if message["runs"]:
            start = message["runs"][0]["from"] * ROW.size
            assert start <= len(rows), "there is a gap"
            rows += buffers[0][len(rows) - start :]
    return rows


def test_the_courier_brings_everything_and_ends_with_the_block(view):
    page, before = Page(), threading.active_count()
    with live._Courier(live.News(view), page):
        recorder = record(view)
        for number in range(100):
            recorder.change(number % 2, [RUNNING, WAITING][number % 3 == 0], "x", at=float(number))
    assert threading.active_count() == before
    assert len(rows_of(page.heard)) == len(recorder.log) * ROW.size
    assert [message["over"] for message, _ in page.heard].count(True) == 1
    assert page.heard[-1][0]["over"]


def test_a_page_that_missed_something_gets_everything_again(view):
    page = Page()
    with live._Courier(live.News(view), page):
        recorder = record(view)
        while not (page.heard and page.heard[-1][0]["runs"]):
            pass
        page.heard.clear()
        page.ask(page, {"kind": "again"}, [])
        while not any(run["from"] == 0 for message, _ in page.heard for run in message["runs"]):
            pass
    assert len(rows_of(page.heard)) == len(recorder.log) * ROW.size


def test_a_page_that_cannot_be_told_stops_nothing(view):
    before = threading.active_count()
    with live._Courier(live.News(view), Page(deaf=True)):
        record(view).change(0, RUNNING, "x")
    assert threading.active_count() == before


def test_without_a_notebook_the_timelines_are_there_all_the_same(tmp_path, capsys):
    with live.live("two runs") as view:
        first = perform.sync([Dish("nap", [wait("sleep", 1)])], minute=0.001)
        second = perform.threaded([Dish("dough", [work("knead", 1)])], minute=0.001)
    assert [timeline.lanes for timeline in view.timelines] == [("nap",), ("dough",)]
    assert view.timelines[0] == first
    assert view.timeline == second
    assert view.offsets[0] == 0 < view.offsets[1]
    view.save(tmp_path / "runs.html")
    assert "two runs" in (tmp_path / "runs.html").read_text(encoding="utf-8")
    assert capsys.readouterr().out == ""


def test_a_view_without_a_run_says_so():
    with live.live() as view:
        pass
    assert view.timelines == []
    with pytest.raises(RuntimeError, match="nothing was recorded"):
        view.timeline  # noqa: B018
    with pytest.raises(ValueError, match="nothing to play"):
        view.save("nowhere.html")


def test_what_is_recorded_after_the_block_is_not_in_the_view():
    with live.live() as view:
        perform.sync(dinner()[:1], minute=1e-5)
    perform.sync(dinner(), minute=1e-5)
    assert len(view.timelines) == 1


def test_the_view_is_closed_also_when_its_player_cannot_be_made(monkeypatch):
    closed = []
    page = SimpleNamespace(on_msg=print, send=lambda *message: None, close=lambda: closed.append(True))
    monkeypatch.setattr(live, "_in_notebook", lambda: True)
    monkeypatch.setattr(live, "display", lambda page, display_id: SimpleNamespace(update=lambda bundle, raw: 1 / 0))
    monkeypatch.setattr(live, "Page", lambda title: page)
    before = threading.active_count()
    with pytest.raises(ZeroDivisionError), live.live():
        perform.sync(dinner()[:1], minute=1e-5)
    assert closed == [True]
    assert threading.active_count() == before


def executed(*cells):
    """These cells as a notebook that has been run, errors and all, by a real kernel without a page."""
    import nbformat  # here, since they take seconds to import
    from nbclient import NotebookClient

    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(notebook, kernel_name="python3", allow_errors=True, store_widget_state=False, timeout=300).execute()
    return [cell.outputs for cell in notebook.cells]


@pytest.mark.kernel
def test_when_the_block_ends_the_output_is_a_player_in_whatever_way_it_ends():
    _, whole, broken, empty, threads = executed(
        "from kitchen import dinner, perform\nfrom kitchen.views.live import live\nimport threading",
        "with live('\\ud800 </script>'):\n    perform.sync(dinner(), minute=0.001)",
        "with live():\n    await perform.cooperative(dinner(), minute=0.001)\n    1 / 0",
        "with live():\n    pass",
        "print([thread.name for thread in threading.enumerate() if 'kitchen' in thread.name])",
    )
    assert [set(output.data) for output in whole] == [{"text/html", "image/png", "text/plain"}]
    assert whole[0].data["text/plain"] == "<Player of 'sync, for real'>"  # the same every time
    assert [output.output_type for output in broken] == ["display_data", "error"]
    assert set(broken[0].data) == {"text/html", "image/png", "text/plain"}
    assert broken[1].ename == "ZeroDivisionError"
    assert [output.data["text/plain"][:22] for output in empty] == ["(Nothing was recorded:"]
    assert threads[0].text == "[]\n"


def test_a_ready_entry_without_a_label_is_told_without_one(view):
    record(view).change(0, READY, at=1.0)
    message, _ = live.News(view).message()
    assert message["runs"][0]["labels"] == [""]
