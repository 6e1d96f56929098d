"""A dinner that is all work, by one cook, by two processes and by two workers of a dask cluster on this computer.

The bars: two processes take 0.59 of one cook's time (they are 1.7 times as fast), and the cluster at most 1.3 times as long
as the processes, for jobs of 100 ms and more. Starting the cooks does not count: from the first dish's beginning to the last
one's end. A busy machine has no second core to give, and misses the bars; what the gate asks for is less.
"""

import os
from importlib import import_module

import pytest
from helpers.measure import Ratio, held, in_turn

from kitchen import Dish, cooks, perform, work

SMALL = "CI" in os.environ
distributed = import_module("distributed") if SMALL else pytest.importorskip("distributed")

TURNS = 3 if SMALL else 7
JOBS = {100: 12, 300: 6} if SMALL else {100: 20, 300: 12}  # ms: how many


def loaves(ms, number):
    return [Dish(f"loaf {n}", [work("knead", ms / 10)]) for n in range(number)]  # a minute lasts 10 ms


def from_the_first(cooked):
    """The seconds between the first dish's beginning at a cook and the last one's end."""
    assert cooked.dishes.outcomes == {}
    return cooked.dishes.makespan - min(span.start for span in cooked.dishes.spans if span.label == "unpack")


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="two cooks need two cores")
@pytest.mark.parametrize(("ms", "number"), JOBS.items())
def test_two_cooks_are_nearly_twice_as_fast_and_the_cluster_as_fast_as_processes(report, ms, number):
    menu = loaves(ms, number)
    local = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": "127.0.0.1:0"}
    with distributed.LocalCluster(**local) as cluster, distributed.Client(cluster) as client:
        one, processes, workers = in_turn(
            TURNS,
            lambda: perform.sync(menu).makespan,
            lambda: from_the_first(cooks.processes(menu, cooks=2)),
            lambda: from_the_first(cooks.cluster(menu, client)),
        )
    held(
        report,
        f"{number} jobs of {ms} ms, two cooks",
        Ratio("two processes / one cook", processes, one, bar=0.59, bound=1.2),
        Ratio("two workers / two processes", workers, processes, bar=1.3, bound=3.0),
    )
