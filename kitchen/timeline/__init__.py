"""Who was in which state, from when to when: the one result of everything that is simulated, performed, fetched or watched.

states       what a lane can be doing: State, Span, Finding
table        spans as columns
timeline     the Timeline itself
saved        ways out and back: JSON, Chrome's trace format, a pandas table
text, words  the picture in plain text; names and figures, fit to be shown
"""

from kitchen.timeline.states import (
    IDLING,
    LANE_STATES,
    READY,
    RUNNING,
    SWITCHING,
    WAITING,
    Finding,
    Span,
    State,
)
from kitchen.timeline.table import Table
from kitchen.timeline.timeline import Timeline

__all__ = [
    "IDLING",
    "LANE_STATES",
    "READY",
    "RUNNING",
    "SWITCHING",
    "WAITING",
    "Finding",
    "Span",
    "State",
    "Table",
    "Timeline",
]
