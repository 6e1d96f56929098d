"""Names and figures, fit to be shown: short, and safe for a terminal."""

from collections.abc import Sequence


def short_names(lanes: Sequence[str]) -> list[str]:
    """The lanes' names as a picture shows them: without the folder that they have in common, and safe to print."""
    first, last = (min(lanes), max(lanes)) if len(lanes) > 1 else ("", "")  # what these two share, all others share
    same = next((n for n, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), len(first))
    folder = first[:same].rpartition("/")[0]
    return [printable(".." + lane.removeprefix(folder) if len(folder) > 8 else lane) for lane in lanes]


def cut(text: str, width: int) -> str:
    """`text`, with its middle left out where it is longer than `width`: both ends of a URL tell something."""
    if len(text) <= width:
        return text
    head = (width - 2) // 2
    return f"{text[:head]}..{text[head + 2 - width :]}"


def printable(text: str) -> str:
    """`text` with everything that could disturb a terminal replaced by '?'."""
    return text if text.isprintable() else "".join(char if char.isprintable() else "?" for char in text)


def printable_lines(text: str) -> str:
    """The same for a text of several lines, which stay lines."""
    return "\n".join(map(printable, text.splitlines()))


def short(number: float) -> str:
    """A figure as one says it: three digits that count, no exponent."""
    return f"{number:.0f}" if abs(number) >= 100 else f"{number:.3g}" if abs(number) >= 1e-3 else f"{number:.1g}"
