"""What the tasks of a running program wait for, drawn from outside and without a change to it.

python3 -m kitchen attach PID            until Ctrl-C, or until the program ends
python3 -m kitchen attach PID --seconds 5 --out hanging.html
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.text import Text

from kitchen import Timeline
from kitchen.commands.race import positive, unwritable
from kitchen.watching.remote import Attached, CannotAttach

LOOK_SECONDS = 0.005  # between two looks; one takes a fraction of a millisecond
DRAW_SECONDS = 0.5
MOST_LINES = 60  # of the tree of who waits for whom


def main(arguments: Sequence[str] | None = None) -> int:
    """Looks, draws, and returns the exit code: 1 when the program cannot be looked at, 2 for bad arguments."""
    parser = argparse.ArgumentParser(
        prog="python3 -m kitchen attach",
        description="Draw what the tasks of a running program wait for, from outside. It takes Python 3.14 or newer, and "
        "the same version in both. Everything is inferred from looks some milliseconds apart.",
    )
    parser.add_argument("pid", type=int, help="the number of the process")
    parser.add_argument("--seconds", type=positive, help="how long to look (default: until Ctrl-C, or until it ends)")
    parser.add_argument("--out", type=Path, help="the player, as a page (default: attach-PID.html)")
    asked = parser.parse_args(arguments)
    out = asked.out or Path(f"attach-{asked.pid}.html")
    if problem := unwritable(out):
        parser.error(problem)
    console = Console(highlight=False)
    try:
        run = Attached(asked.pid)
    except CannotAttach as error:
        print(f"kitchen: {error}.", file=sys.stderr)
        return 1
    with run:
        why = _look(run, asked.seconds, console)
    _tell(run, why, out, console)
    return 0


def _look(run, seconds, console):
    """Looks until the time is over, the program is, or somebody presses Ctrl-C; says which."""
    drawn = -DRAW_SECONDS
    with Live(console=console, auto_refresh=False, transient=True) as page:
        try:
            while seconds is None or run.now() < seconds:
                run.look()
                if run.now() >= drawn + DRAW_SECONDS:
                    page.update(Text(_picture(run.timeline())), refresh=True)
                    drawn = run.now()
                time.sleep(LOOK_SECONDS)
        except KeyboardInterrupt:
            return "Interrupted"
        except ProcessLookupError:
            return f"Process {run.pid} has ended"
    return f"After {seconds:g} s"


def _picture(timeline: Timeline) -> str:
    return str(timeline) if timeline.lanes else "No task has been seen yet."


def _tell(run, why, out, console):
    timeline = run.timeline()
    console.print(f"{why}. {run.looks} looks, and {run.missed} that could not be read.\n", markup=False)
    console.print(_picture(timeline), markup=False)
    lines = run.who_waits_for_whom()
    if lines:
        console.print(
            "\nWho waits for whom, in the last look (below each task stand those that it awaits):", markup=False
        )
        for line in lines[:MOST_LINES]:
            console.print(line, markup=False)
        if len(lines) > MOST_LINES:
            console.print(f"… and {len(lines) - MOST_LINES} more")
    if timeline.lanes:
        try:
            timeline.save(out)
        except OSError as error:
            console.print(f"\nThe player could not be written to {out}: {error}", markup=False, style="red")
        else:
            console.print(f"\nThe player: {out}", markup=False)


if __name__ == "__main__":
    sys.exit(main())
