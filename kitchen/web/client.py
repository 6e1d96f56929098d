"""What both engines of `fetch` share: the Result of a URL, the run that keeps one per lane, what is checked beforehand.

What becomes of one URL is in page.py, whatever the engine: blocking.py (for sync and threaded), coroutines.py (for
cooperative).
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from kitchen.recorder import Recorder
from kitchen.timeline import WAITING, Timeline
from kitchen.web.exchange import CONNECTING
from kitchen.web.library import httpx
from kitchen.web.page import Page
from kitchen.web.reasons import INTERRUPTED, reason
from kitchen.web.route import Names, Proxies, certificates

PLACE = "waiting for a place"
MAX_BYTES = 32 * 2**20  # of a body, unpacked, where nobody says otherwise
SPARE_FILES = 16  # that a process may want to open besides its connections


class Result(NamedTuple):
    """What became of one URL. Either `status` is the HTTP status, or it is None and `error` says what went wrong.

    `body` is the page in bytes, unpacked; after an error, as much of it as had come. A page that is larger than allowed is
    an error as well, and as much of it as is allowed is kept.
    """

    url: str
    status: int | None
    body: bytes
    error: str | None


class Fetched(NamedTuple):
    """What a fetch gives back: the `results` in the order asked, and the `timeline` with a lane for each."""

    results: list[Result]
    timeline: Timeline

    @property
    def failures(self) -> list[Result]:
        """The results of the URLs that could not be had; an answer such as 404 is an answer."""
        return [result for result in self.results if result.error is not None]

    def __repr__(self):
        """Short: ten thousand pages in one line help nobody, and asyncio.run asks for the repr of what a task returns."""
        return f"<Fetched: {len(self.results)} results, of which {len(self.failures)} could not be had>"


class Run(Recorder):
    """A Recorder that keeps one Result per lane. Per URL: `timeout` in seconds, further tries, `max_bytes` of a body.

    `labels`: the phase that each lane is in. An engine fetches, lane by lane, and settles what became of each.
    """

    def __init__(self, title: str, urls: Sequence[str], timeout: float, retries: int = 0, max_bytes: int = MAX_BYTES):
        self.urls = urls
        self.timeout = timeout
        self.retries = retries
        self.max_bytes = max_bytes
        self.results: list[Result | None] = [None] * len(urls)
        self.labels = [CONNECTING] * len(urls)
        self.names = Names()
        self._proxies = Proxies()
        if any(str(url)[:6].lower() == "https:" for url in urls):
            with suppress(httpx.ConnectError):  # then each of these will say so
                certificates()  # which takes a while: before the clock starts
        super().__init__(map(_lane_name, urls), title)

    def fetched(self) -> Fetched:
        """What has come by now. A lane that is not settled was interrupted."""
        results = zip(self.urls, self.results, strict=True)
        return Fetched([result or Result(url, None, b"", INTERRUPTED) for url, result in results], self.timeline())

    def line_up(self, places: int) -> None:
        """Only the first `places` lanes can begin: the others wait for one of these to be over."""
        for lane in range(places, len(self.urls)):
            self.labels[lane] = PLACE
            self.change(lane, WAITING, PLACE, at=0.0)

    def page(self, lane: int) -> Page:
        """The page of this lane's URL, of which nothing has come yet."""
        return Page(self.urls[lane], self.max_bytes, self.retries, self._proxies)

    def settle(self, lane: int, page: Page, error: Exception | None = None) -> None:
        """The lane is over: with this page, or without."""
        words = None if error is None else reason(error, self.timeout)
        self.results[lane] = Result(self.urls[lane], None if words else page.status, page.body, words)
        self.finish(lane, words or "")


class TooManyFiles(ValueError):
    """A process may not open so many connections at once: each is an open file to it. `fit` is how many it may open.

    `enough`: the number of files that it would have to be allowed. Its message has a remedy for Python.
    """

    def __init__(self, message: str, fit: int, enough: int):
        super().__init__(message)
        self.fit, self.enough = fit, enough


def check_files(connections: int) -> None:
    """Raises TooManyFiles, a ValueError, when this process may not open so many connections at once."""
    try:
        import resource  # not on Windows, where sockets are no files
    except ImportError:
        return
    most, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken = len(os.listdir("/dev/fd")) + SPARE_FILES
    if most == resource.RLIM_INFINITY or taken + connections <= most:
        return
    enough = 1 << (taken + connections).bit_length()
    remedy = f"at most {most - taken} at once" if most > taken else "closing some"
    if hard == resource.RLIM_INFINITY or enough <= hard:
        remedy += f", or `import resource; resource.setrlimit(resource.RLIMIT_NOFILE, ({enough}, {hard}))` before it"
    raise TooManyFiles(
        f"{connections} connections at once need as many open files, and this process may have {most} "
        f"(of which it has or may need {taken} for other things): try {remedy}",
        most - taken,
        enough,
    )


def _lane_name(url):
    """A URL as its lane is called; the recorder tells apart what is asked for twice."""
    return str(url).encode("utf-8", "backslashreplace").decode() or "(nothing)"
