"""A measurement that came out as it does on a busy computer only: said in a card, and Run All goes on."""

import os

from IPython.display import display

from kitchen.lesson.box import box

STRICT = "KITCHEN_STRICT"  # set where notebooks are run for others to read: there it is an error
BUSY = "This computer was busy with something else just now, and the figures show it: run the cell that measures again."


def steady(holds: bool, words: str = "") -> None:
    """Where a measured relation does not hold, says `words` in a card, or that the computer was busy.

    Raises AssertionError instead where the environment has KITCHEN_STRICT: where notebooks are made for others to read.
    """
    if holds:
        return
    words = words or BUSY
    if os.environ.get(STRICT):
        raise AssertionError(words)
    display(box("wrong", [words]) | {"text/plain": words}, raw=True)
