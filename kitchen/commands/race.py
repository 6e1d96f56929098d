"""The main job without a browser: fetch the same URLs three ways, and show who wins and why.

python3 -m kitchen race                    100 pages of a local site that takes 0.1 s for each
python3 -m kitchen race --urls FILE        the URLs in FILE, one a line
"""

import signal

if __name__ == "__main__":  # whoever interrupts what is being imported sees no traceback
    signal.signal(signal.SIGINT, signal.SIG_DFL)

import argparse
import asyncio
import os
import sys
import threading
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import TIMEOUT_MAX

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from kitchen import fetch
from kitchen.recorder import Recorder, listening
from kitchen.timeline.words import cut, printable, short
from kitchen.web.client import TooManyFiles, check_files
from kitchen.web.site import serve

LOOK_SECONDS = 0.1  # between two looks at how far the fetch is
MOST_PAGES = 100_000  # sync alone would take three hours for them
MOST_LETTERS = 100 * 2**20  # of a file of URLs
MOST_OF_A_URL = 200  # letters of it that are shown
PICTURES = (".png", ".svg", ".pdf", ".jpg", ".webp")  # matplotlib knows more, of which some need other programs
INTERRUPTED = 130  # the exit code after Ctrl-C: 128, and SIGINT's number


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the race and returns the exit code: 1 when not one URL could be had, or the picture or a word not be written,
    2 for bad arguments, 130 after Ctrl-C."""
    asked = _parser().parse_args(arguments)
    _check_out(asked.out)
    if reconfigure := getattr(sys.stdout, "reconfigure", None):
        reconfigure(errors="replace")  # what this terminal cannot print is a question mark there, and no reason to end
    try:
        return _run(asked, Console(highlight=False))
    except OSError as error:  # a full disk, a pipe that nobody reads
        print(f"cannot write: {error.strerror}", file=sys.stderr)
        return 1


def _run(asked, console):
    fetched = {}
    try:
        with _urls(asked) as urls:
            _check_limit(min(asked.limit, len(urls)))
            console.print(f"Fetching {len(urls)} URLs three ways, at most {asked.limit} at once.\n")
            _race(urls, asked, console, fetched)
        _tell(fetched, console)
        drawn = _save([timeline for _, timeline in fetched.values()], asked.out, console)
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # the impatient: no more words, but no traceback either
        _tell(fetched, console)
        console.print("Interrupted: this is what had come by then.")
        return INTERRUPTED
    had = any(result.error is None for results, _ in fetched.values() for result in results)
    return 0 if had and drawn else 1


def _parser():
    parser = argparse.ArgumentParser(
        prog="python3 -m kitchen race",
        description="Fetch the same URLs one after the other, with threads, with coroutines.",
    )
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--n", type=_count, default=100, help="how many pages of the local site (default: 100)")
    source.add_argument("--urls", type=Path, metavar="FILE", help="fetch these instead, one a line; # begins a comment")
    parser.add_argument(
        "--delay", type=_seconds, default=0.1, help="seconds the local site takes for a page (default: 0.1)"
    )
    parser.add_argument("--limit", type=_count, default=100, help="at most so many at once (default: 100)")
    parser.add_argument("--timeout", type=positive, default=10.0, help="seconds that a URL may take (default: 10)")
    parser.add_argument("--out", type=Path, default=Path("race.png"), help="where the picture goes (default: race.png)")
    return parser


def _count(text):
    number = _read(int, text, "a whole number")
    if not 1 <= number <= MOST_PAGES:
        raise argparse.ArgumentTypeError(f"{cut(text, 40)} is not possible: give a whole number from 1 to {MOST_PAGES}")
    return number


def _seconds(text):
    seconds = _read(float, text, "a number of seconds")
    if not 0 <= seconds <= TIMEOUT_MAX:
        raise argparse.ArgumentTypeError(
            f"{cut(text, 40)} is no time to wait: give seconds, 0 or more, at most {TIMEOUT_MAX:.0f}"
        )
    return seconds


def _read(kind, text, name):
    try:
        return kind(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{cut(text, 40)!r} is not {name}") from None


def positive(text: str) -> float:
    """Seconds on a command line: more than 0. Raises ArgumentTypeError for anything else."""
    seconds = _seconds(text)
    if not seconds:
        raise argparse.ArgumentTypeError("0 seconds are too few: give more")
    return seconds


@contextmanager
def _urls(asked):
    """The URLs to fetch, for as long as the site is up that has them."""
    if asked.urls is None:
        with serve(asked.delay) as site:
            yield site.urls(asked.n)
        return
    try:
        with asked.urls.open(encoding="utf-8-sig") as file:
            text = file.read(MOST_LETTERS + 1)
    except OSError as error:
        _parser().error(f"cannot read {asked.urls}: {error.strerror}")
    except UnicodeDecodeError:
        _parser().error(f"cannot read {asked.urls}: it is not a text in UTF-8. Save it as one, with a URL a line")
    lines = [line.strip(" \t") for line in text.split("\n")]  # splitlines would also split at U+2028 and others
    urls = [line for line in lines if line and not line.startswith("#")]
    if not urls:
        _parser().error(f"there is no URL in {asked.urls}: write one a line")
    if len(text) > MOST_LETTERS or len(urls) > MOST_PAGES:
        _parser().error(f"there are too many URLs in {asked.urls}: {MOST_PAGES} at most")
    yield urls


def _check_out(out):
    """Whether the picture can be written is better known before the race than after it."""
    problem = unwritable(out)
    if not problem and out.suffix.lower() not in PICTURES:
        problem = f"what kind of picture is {out.name} to be? Give a name that ends in {', '.join(PICTURES)}"
    if problem:
        _parser().error(problem)


def unwritable(out: Path) -> str:
    """Why this file cannot be written, in words for a command line; "" where it can."""
    where = out
    try:
        out.stat()  # from Python 3.14 on, `exists` says no more why not
    except (FileNotFoundError, NotADirectoryError):
        where = out.parent
    except OSError as error:  # a name that is too long
        return f"cannot write to {cut(str(out), 40)}: {error.strerror}"
    if not out.parent.is_dir():
        return f"there is no folder {out.parent} to write {out.name} to"
    if out.is_dir():
        return f"{out} is a folder: give the name of a file"
    return "" if os.access(where, os.W_OK) else f"{out} cannot be written: {where} is not yours to change"


def _check_limit(at_once):
    try:
        check_files(at_once)
    except TooManyFiles as error:
        remedy = f"--limit {error.fit}, or " if error.fit > 0 else ""
        _parser().error(
            f"{at_once} connections at once need as many open files, more than this shell allows: "
            f"try {remedy}`ulimit -n {error.enough}` first"
        )


def _race(urls, asked, console, fetched):
    """Puts what each way has fetched under its name into `fetched`; a progress bar shows how far it is."""
    bounds = {"timeout": asked.timeout}
    ways = {
        "sync": lambda: fetch.sync(urls, **bounds),
        "threads": lambda: fetch.threaded(urls, workers=asked.limit, **bounds),
        "coroutines": lambda: asyncio.run(fetch.cooperative(urls, limit=asked.limit, **bounds)),
    }
    columns = TextColumn("{task.description:<12}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console) as progress:
        bars = {name: progress.add_task(name, total=len(urls), start=False) for name in ways}
        for name, fetch_all in ways.items():
            progress.start_task(bars[name])
            try:
                with _followed(lambda done, bar=bars[name]: progress.update(bar, completed=done)):
                    fetched[name] = fetch_all()
            except KeyboardInterrupt:
                signal.signal(signal.SIGINT, signal.SIG_IGN)  # until bars and site are gone, and the cursor is back
                fetched[name] = fetch.so_far()
                raise
            progress.stop_task(bars[name])


def _tell(fetched, console):
    for _, timeline in fetched.values():
        console.print(str(timeline), markup=False)
        console.print()
    if fetched:
        console.print(_table(fetched))
    _tell_failures(fetched, console)


@contextmanager
def _followed(tell):
    """While the block runs, a thread of its own counts the lanes that are over, and tells how many."""
    recorders: list[Recorder] = []  # one: a fetch is one run
    ended = threading.Event()
    read = done = 0

    def count():
        nonlocal read, done
        for recorder in recorders:
            news = recorder.log[read:]
            read += len(news)
            done += sum(state is None for _, _, state, *_ in news)
        tell(done)

    def follow():
        while not ended.wait(LOOK_SECONDS):
            count()

    thread = threading.Thread(target=follow, name="race progress")
    thread.start()
    try:
        with listening(recorders.append):
            yield
    finally:
        ended.set()
        thread.join()
        count()


def _table(fetched):
    table = Table(title="The same URLs, three ways")
    for heading in ("way", "time", "CPU busy", "speed-up", "failures"):
        table.add_column(heading, justify="left" if heading == "way" else "right")
    slowest = next(iter(fetched.values())).timeline.makespan  # sync's
    for name, run in fetched.items():
        makespan = run.timeline.makespan
        figures = f"{short(makespan)} s", f"{run.timeline.utilization:.0%}", f"{slowest / makespan:.1f} x"
        table.add_row(name, *figures, str(len(run.failures)))
    return table


def _tell_failures(fetched, console, most=5):
    """The commonest reasons why a URL could not be had, with an example of each."""
    reasons = {}
    for name, run in fetched.items():
        for result in run.failures:
            reasons.setdefault((name, result.error), []).append(result.url)
    for (name, error), urls in sorted(reasons.items(), key=lambda item: -len(item[1]))[:most]:
        example = cut(urls[0], MOST_OF_A_URL)
        console.print(printable(f"{name}: {len(urls)} x {error}, for example {example}"), markup=False, style="red")
    if len(reasons) > most:
        console.print(f"… and {len(reasons) - most} more reasons")


def _save(timelines, out, console):
    """Whether the picture could be written."""
    os.environ["MPLBACKEND"] = "agg"  # no window is needed, and the one that is set may not be there
    from kitchen.views.gantt import compare

    try:
        compare(*timelines)[0].figure.savefig(out, dpi=120)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        console.print(f"The picture could not be written to {out}: {reason}", markup=False, style="red")
        return False
    console.print(f"The picture: {out}", markup=False)
    return True


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.exit(main())
