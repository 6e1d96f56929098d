"""Draws the pictures of the page of findings anew: watches each program, and puts its picture in text into the page.

PYTHONPATH=.:tests .venv/bin/python tests/scripts/findings_pictures.py
"""

import re
import tempfile
from pathlib import Path

from watching.test_findings_page import PAGE, run_of

FAULTY = re.compile(r"(^```python\n(.*?)^```\n> [^\n]*\n)(?:\n```text\n.*?^```\n)?", re.MULTILINE | re.DOTALL)
MOST_LANES = 12  # a picture with more would bury the words


def pictured(found: re.Match) -> str:
    """A program and its words, with the picture of a run below."""
    with tempfile.TemporaryDirectory() as folder:
        timeline = run_of(found[2], Path(folder)).timeline
    if len(timeline.lanes) > MOST_LANES:
        return found[1]
    return f"{found[1]}\n```text\n{str(timeline).partition(chr(10) + '- ')[0].rstrip()}\n```\n"


if __name__ == "__main__":
    PAGE.write_text(FAULTY.sub(pictured, PAGE.read_text(encoding="utf-8")), encoding="utf-8")
