"""What is amiss with a program that was watched, in words: what was observed, at which line, and what to do about it.

Silence is an answer. Each rule speaks only of what cost something in this very run, and of what nothing in the program's
text shows to be on purpose; in doubt it says nothing. Each kind of finding has a file: `held` (the loop is held), `rows`
(awaits in a row), `guarded` (they queue for a lock), `crowds` (too many at once), `hangs` (who waits for whom), `polling`
(a loop that asks again and again), `notes` (what the program itself made known).
"""

from kitchen.timeline import Finding
from kitchen.watching.crowds import executor_full, too_many
from kitchen.watching.facts import Facts
from kitchen.watching.guarded import lock_held
from kitchen.watching.hangs import hangs
from kitchen.watching.held import blocked
from kitchen.watching.notes import made_known
from kitchen.watching.polling import polling
from kitchen.watching.rows import in_a_row

RULES = (blocked, in_a_row, lock_held, too_many, executor_full, polling, hangs, made_known)


def diagnose(facts: Facts) -> list[Finding]:
    """Everything that is amiss, in order of time; [] for a clean program."""
    found = [finding for rule in RULES for finding in rule(facts)]
    return sorted(found, key=lambda finding: finding.span.start if finding.span else 0.0)
