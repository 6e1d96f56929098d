"""Watch it happen: a view of real runs that fills in while they run, and the player that it becomes afterwards.

Recording only appends. A thread of the view's own, the courier, reads what is new in the logs up to twenty times a second
and sends it to the page, which draws it; nothing is drawn in this process while anything is measured. The page cannot
be asked whether it listens while a cell runs. So news are numbered, everything is sent again from the beginning now and
then, and the page drops what it knows already.
"""

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from os import PathLike

import anywidget
import traitlets
from IPython import get_ipython
from IPython.display import display

from kitchen.recorder import CORES, Recorder, listening
from kitchen.timeline import Timeline
from kitchen.timeline.words import printable
from kitchen.views import assets
from kitchen.views.player import ROW, Labels, Player, head, rows

# Seconds between two messages; the page moves by its own clock meanwhile. A message takes 0.2 ms of CPU time here, and as
# much again in the server and the page: with two cores for all of them, a run would notice more than five a second.
SECONDS_APART = 1 / 20 if CORES > 2 else 1 / 5
# Seconds after which a message is sent even if there is nothing new, so that the page knows that we live.
SECONDS_SILENT = 1.0
# Seconds until everything is sent again for the first time; then after three times as long, and so on.
SECONDS_UNTIL_AGAIN = 0.5
ROWS_IN_MESSAGE = 50_000  # rows in one message
SECONDS_TO_BUILD = 0.3  # until the block begins: a run would miss the CPU time in which the page builds the view


class View:
    """What is recorded inside a `live` block: one Timeline per run, in the order in which they began."""

    def __init__(self, title: str = ""):
        self.title = title
        self.recorders: list[Recorder] = []

    @property
    def timelines(self) -> list[Timeline]:
        """The Timelines of all runs, of one that still goes on as far as it is known."""
        return [recorder.timeline() for recorder in self.recorders]

    @property
    def timeline(self) -> Timeline:
        """The Timeline of the last run. Raises RuntimeError when nothing was recorded."""
        if not self.recorders:
            raise RuntimeError("nothing was recorded: call perform or fetch inside the with block")
        return self.recorders[-1].timeline()

    @property
    def offsets(self) -> list[float]:
        """When each run began, in seconds since the first one did."""
        return [recorder.began - self.recorders[0].began for recorder in self.recorders]

    def player(self) -> Player:
        """The runs as a player. Raises ValueError when nothing was recorded."""
        return Player(*self.timelines, title=self.title, offsets=self.offsets)

    def save(self, path: str | PathLike[str]) -> None:
        """Writes the player as an HTML file of its own. Raises ValueError when nothing was recorded."""
        self.player().save(path)


@contextmanager
def live(title: str = "") -> Iterator["View"]:
    """Draws whatever `perform`, `fetch` and `watch` record inside the block, while it runs; gives a `View`.

    When the block ends, in whatever way, the picture becomes a player, which needs neither this process nor a network.
    Without a notebook nothing is drawn, and the View has the Timelines all the same.
    """
    view = View(title)
    if not _in_notebook():
        with listening(view.recorders.append):
            yield view
        return
    page = Page(title=printable(title))
    handle = display(page, display_id=True)
    courier = _Courier(News(view), page)
    try:
        with listening(view.recorders.append), courier:
            yield view
    finally:
        try:
            nothing = {"text/plain": "(Nothing was recorded: call perform or fetch inside the block.)"}
            handle.update(view.player().bundle() if view.recorders else nothing, raw=True)
        finally:
            page.close()


def _in_notebook():
    """Whether there is a kernel, with a page to it."""
    return hasattr(get_ipython(), "kernel")


class Page(anywidget.AnyWidget):
    """The page's side of a live view."""

    _esm = assets.module()
    _css = assets.player_style()
    title = traitlets.Unicode().tag(sync=True)


class News:
    """What a page has not been told yet of the runs of a view, as messages: a dict, and for each run its rows in bytes."""

    def __init__(self, view: View):
        self.view = view
        self.told: list[int] = []  # of each run: how many entries of its log
        self.lanes: list[int] = []  # of each run: how many lanes
        self.labels: list[Labels] = []
        self.rows: list[bytearray] = []  # of each run: what has been told, since to tell it again should cost little
        self.ended: list[float | None] = []

    def again(self) -> None:
        """Everything is new."""
        self.told = [0] * len(self.told)
        self.lanes = [0] * len(self.lanes)

    @property
    def whole(self) -> bool:
        """Whether everything has been told."""
        known = [(len(recorder.log), len(recorder.lanes), recorder.ended) for recorder in self.view.recorders]
        return list(zip(self.told, self.lanes, self.ended, strict=True)) == known

    def message(self) -> tuple[dict, list[bytes]]:
        """What is new since the last message."""
        runs, told = [], []
        recorders = list(self.view.recorders)
        for number, recorder in enumerate(recorders):
            if number == len(self.told):
                self.told.append(0)
                self.lanes.append(0)
                self.ended.append(None)
                self.labels.append(Labels())
                self.rows.append(bytearray())
            news, rows_of_run = self._of_run(number, recorder, recorder.began - recorders[0].began)
            runs.append(news)
            told.append(rows_of_run)
        now = recorders[0].now() if recorders else 0.0
        return {"runs": runs, "now": now}, told

    def _of_run(self, number, recorder, offset):
        ended = recorder.ended  # before the log is read: a run that has ended adds nothing
        start, labels, packed = self.told[number], self.labels[number], self.rows[number]
        known = 0 if start == 0 else len(labels)
        entries = recorder.log[len(packed) // ROW.size : start + ROWS_IN_MESSAGE]
        lanes, lanes_known = recorder.lanes, self.lanes[number]  # read after the log: there are all that it speaks of
        packed += rows(entries, labels)
        told = bytes(packed[start * ROW.size : (start + ROWS_IN_MESSAGE) * ROW.size])
        self.lanes[number] = len(lanes)
        self.told[number] = start + len(told) // ROW.size
        if len(told) == ROWS_IN_MESSAGE * ROW.size:
            ended = None  # there is more to tell
        self.ended[number] = ended
        news = {"run": number, "from": start, "labelsFrom": known, "labels": labels.texts[known:], "ended": ended}
        if start == 0:
            lanes_known = 0
            news["head"] = head(lanes, recorder.title, "s", offset) | {"live": True}
        else:  # in every message, so that the page notices when lanes are missing
            news |= {"lanesFrom": lanes_known, "lanes": [printable(lane) for lane in lanes[lanes_known:]]}
        parents = recorder.parents
        if added := {lane: parents[lane] for lane in range(lanes_known, len(lanes)) if lane in parents}:
            news["parents"] = added
        if aside := [lane for lane in range(lanes_known, len(lanes)) if lane in recorder.asides]:
            news["asides"] = aside
        return news, told


class _Courier:
    """A thread that brings the news to the page for as long as the block runs."""

    def __init__(self, news: News, page: Page):
        self.news, self.page = news, page
        self.over = threading.Event()
        self.asked_again = threading.Event()
        self.thread = threading.Thread(target=self.run, name="kitchen live view", daemon=True)

    def __enter__(self):
        self.page.on_msg(lambda page, content, buffers: self.asked_again.set())
        gc.collect()  # which else happens in the middle of the run, and is drawn as work of whomever it hits
        self.over.wait(SECONDS_TO_BUILD)
        self.thread.start()

    def __exit__(self, *problem):
        self.over.set()
        self.thread.join()

    def run(self):
        waited, again, sent = 0.0, SECONDS_UNTIL_AGAIN, 0.0
        while not self.over.wait(SECONDS_APART):
            waited += SECONDS_APART
            if waited > again or self.asked_again.is_set():
                self.asked_again.clear()
                again = 3 * waited
                self.news.again()
            if not self.news.whole or waited >= sent + SECONDS_SILENT:
                self.send()
                sent = waited
        for _ in range(max((len(recorder.log) // ROWS_IN_MESSAGE for recorder in self.news.view.recorders), default=0)):
            self.send()  # the rest, but not what a run that outlives the block adds meanwhile
        self.send(over=True)  # and with it the last piece

    def send(self, over=False):
        with suppress(Exception):  # a page that cannot be told must not stop what is measured
            message, rows = self.news.message()
            self.page.send(message | {"over": over}, rows)
