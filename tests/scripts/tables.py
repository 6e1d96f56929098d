"""Tables in a terminal: what the scripts beside this file print, and pytest at the end of its report."""

from collections.abc import Iterator, Sequence

TABLE = "table"  # under this name a report of pytest's carries one, also from one process to the other


def aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """The lines of a table of texts: the first column on the left, the figures after it on the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *others in rows:
        figures = [text.rjust(width) for text, width in zip(others, widths[1:], strict=True)]
        yield "   ".join([first.ljust(widths[0]), *figures])


def table(headings, rows):
    """Prints a table of whatever has a text."""
    print("", *aligned([headings, *[[str(value) for value in row] for row in rows]]), sep="\n")
