"""The main job without a browser: fetch the same URLs three ways, and show who wins and why.

python3 -m kitchen race                    100 pages of a local site that takes 0.1 s for each
python3 -m kitchen race --urls FILE        the URLs in FILE, one a line
"""

import argparse
import asyncio
import sys
import threading
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path

import matplotlib
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from kitchen import fetch
from kitchen.gantt import compare
from kitchen.recorder import Recorder, watched
from kitchen.server import serve
from kitchen.timeline import printable, short

EVERY = 0.1  # seconds between two looks at how far the fetch is


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the race and returns the exit code: 1 when not one URL could be had, 2 for bad arguments."""
    asked = _parser().parse_args(arguments)
    if not asked.out.parent.is_dir():
        _parser().error(f"there is no folder {asked.out.parent} to write {asked.out.name} to")
    console = Console(highlight=False)
    with _urls(asked) as urls:
        console.print(f"Fetching {len(urls)} URLs three ways, at most {asked.limit} at once.\n")
        fetched = _race(urls, asked, console)
    for _, timeline in fetched.values():
        console.print(str(timeline), markup=False)
        console.print()
    console.print(_table(fetched))
    _tell_failures(fetched, console)
    _save([timeline for _, timeline in fetched.values()], asked.out, console)
    return 0 if any(result.error is None for results, _ in fetched.values() for result in results) else 1


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
    parser.add_argument("--timeout", type=_positive, default=10.0, help="seconds that a URL may take (default: 10)")
    parser.add_argument("--out", type=Path, default=Path("race.png"), help="where the picture goes (default: race.png)")
    return parser


def _count(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is too few: give a whole number, 1 or more")
    return number


def _seconds(text):
    seconds = float(text)
    if not 0 <= seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is no time to wait: give seconds, 0 or more")
    return seconds


def _positive(text):
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
        lines = asked.urls.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        _parser().error(f"cannot read {asked.urls}: {error}")
    urls = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    if not urls:
        _parser().error(f"there is no URL in {asked.urls}: write one a line")
    yield urls


def _race(urls, asked, console):
    """What each way has fetched, under its name; a progress bar shows how far it is."""
    bounds = {"timeout": asked.timeout}
    ways = {
        "sync": lambda: fetch.sync(urls, **bounds),
        "threads": lambda: fetch.threaded(urls, workers=asked.limit, **bounds),
        "coroutines": lambda: asyncio.run(fetch.cooperative(urls, limit=asked.limit, **bounds)),
    }
    columns = TextColumn("{task.description:<12}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console) as progress:
        bars = {name: progress.add_task(name, total=len(urls), start=False) for name in ways}
        fetched = {}
        for name, fetch_all in ways.items():
            progress.start_task(bars[name])
            with _followed(lambda done, bar=bars[name]: progress.update(bar, completed=done)):
                fetched[name] = fetch_all()
            progress.stop_task(bars[name])
    return fetched


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
        while not ended.wait(EVERY):
            count()

    thread = threading.Thread(target=follow, name="race progress")
    thread.start()
    try:
        with watched(recorders.append):
            yield
    finally:
        ended.set()
        thread.join()
        count()


def _table(fetched):
    table = Table(title="The same URLs, three ways")
    for heading in ("way", "time", "CPU busy", "speed-up", "failures"):
        table.add_column(heading, justify="left" if heading == "way" else "right")
    slowest = fetched["sync"].timeline.makespan
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
        console.print(printable(f"{name}: {len(urls)} x {error}, for example {urls[0]}"), markup=False, style="red")
    if len(reasons) > most:
        console.print(f"… and {len(reasons) - most} more reasons")


def _save(timelines, out, console):
    matplotlib.use("Agg")
    try:
        compare(*timelines)[0].figure.savefig(out, dpi=120)
    except (OSError, ValueError) as error:
        console.print(f"The picture could not be written to {out}: {error}", markup=False, style="red")
    else:
        console.print(f"The picture: {out}", markup=False)


if __name__ == "__main__":
    sys.exit(main())
