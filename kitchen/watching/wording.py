"""What every finding is worded with: numbers with their noun, and the stretch of a lane that it is about."""

from kitchen.timeline import Span, State
from kitchen.watching.facts import Facts


def span_of(facts: Facts, lane: int, state: State, start: float, end: float) -> Span:
    """The stretch of a lane that a finding is about."""
    return Span(facts.timeline.lanes[lane], state, "", start, end)


def number(count: int, noun: str) -> str:
    """ "1 task", "2 tasks"."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
