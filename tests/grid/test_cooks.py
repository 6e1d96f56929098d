"""Several cooks: every dish once, in one picture on one clock; and whatever falls over, every dish has a known outcome."""

import json
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import Future
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from kitchen import Dish, cooks, dinner, work
from kitchen.recorder import UNFINISHED
from kitchen.timeline import IDLING, READY, RUNNING, WAITING, Timeline

pytestmark = pytest.mark.long

there = pytest.mark.skipif(
    "CI" not in os.environ and not find_spec("distributed"), reason="the cluster needs dask: pip install distributed"
)
BOTH = ["processes", pytest.param("cluster", marks=[there, pytest.mark.cluster])]
ROOT = Path(__file__).parents[2]
LOAVES = [Dish(f"loaf {number}", [work("knead", 10)]) for number in range(1, 7)]
LONG = [Dish(f"loaf {number}", [work("knead", 40)]) for number in range(1, 7)]
LOCAL = {"threads_per_worker": 1, "dashboard_address": "127.0.0.1:0", "silence_logs": "ERROR"}


def with_dask(test):
    return there(pytest.mark.cluster(test))


@contextmanager
def cluster(workers=2):
    """A client of a cluster on this computer. One that is busy is not dead: whoever connects gives it time."""
    import dask  # here, since they take seconds to import
    import distributed

    patient = dask.config.set({"distributed.comm.timeouts": {"connect": "120s", "tcp": "120s"}})
    with (
        patient,
        distributed.LocalCluster(**LOCAL | {"n_workers": workers}) as there,
        distributed.Client(there) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def client():
    with cluster() as client:
        yield client


@pytest.fixture(params=BOTH)
def cook(request):
    """Has dishes cooked by two cooks, in this way."""
    if request.param == "processes":
        return cooks.processes
    client = request.getfixturevalue("client")
    return lambda dishes, **options: cooks.cluster(dishes, client, **options)


def running():
    """The processes that this one has started, apart from the one that tidies up after multiprocessing."""
    ours = psutil.Process().children(recursive=True)
    return {process.pid for process in ours if "resource_tracker" not in " ".join(process.cmdline())}


def settled(before):
    """Whether there are soon no more processes than before."""
    for _ in range(600):
        if running() <= before:
            return True
        time.sleep(0.1)
    return running() - before


def test_every_dish_is_cooked_once_by_one_cook_at_a_time(cook):
    done = cook(LOAVES)
    assert done.dishes.lanes == tuple(dish.name for dish in LOAVES)
    assert done.cooks.lanes == ("cook 1", "cook 2")
    assert done.dishes.outcomes == done.cooks.outcomes == {}
    assert sorted(served.dish for served in done.served) == sorted(done.dishes.lanes)
    for dish, spans in done.dishes.by_lane.items():
        kneading = [span for span in spans if span.state is RUNNING and span.label == "knead"]
        assert sum(span.duration for span in kneading) > 0.08  # of 100 ms of CPU time
        (cook_of_it,) = [served.cook for served in done.served if served.dish == dish]
        held = [span for span in done.cooks.by_lane[cook_of_it] if span.label == dish]
        assert held[0].start <= kneading[0].start < kneading[-1].end <= held[-1].end + 1e-9
    for spans in done.cooks.by_lane.values():
        assert all(one.end <= other.start + 1e-9 for one, other in pairwise(spans))
    assert Timeline.from_json(done.cooks.to_json()) == done.cooks


def test_who_queues_is_ready(cook):
    done = cook(LOAVES)
    last = max(done.dishes.by_lane.values(), key=lambda spans: spans[-1].start)
    queueing = [span for span in last if span.state is READY and not span.inferred]
    assert max(span.duration for span in queueing) > 0.1  # two loaves had to be kneaded before, by each cook
    assert not [span for span in done.dishes.spans if span.state is WAITING]


@pytest.mark.measured
@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="with one core nobody works at the same time")
def test_two_dishes_are_in_work_at_the_same_moment(cook):
    done, until, both = cook(LONG), 0.0, 0.0
    for span in done.dishes.cook:
        both += max(0.0, min(span.end, until) - span.start)
        until = max(until, span.end)
    assert both > 0.02 * done.dishes.busy


def test_a_cook_idles_while_her_dish_waits(cook):
    done = cook(dinner(), minute=0.005)
    for timeline in done.cooks, done.dishes:
        idling = sum(span.duration for span in timeline.spans if span.state is IDLING)
        assert idling >= 0.95 * 22 * 0.005
    assert [span.label for span in done.dishes.by_lane["salad"] if span.state is IDLING] == ["drain"]


def test_what_is_inferred_is_marked(cook):
    done = cook(LOAVES[:3])
    for span in done.cooks.spans:
        assert span.inferred == (span.state in (READY, WAITING) or span.label == "start")
    assert not any(span.inferred for span in done.dishes.spans if span.state is RUNNING)


def test_ingredients_are_packed_here_and_unpacked_there(cook):
    flour = list(range(100_000))
    done = cook(LOAVES[:2], minute=0.001, ingredients={"loaf 1": flour})
    heavy, light = sorted(done.served, key=lambda served: served.dish)
    assert heavy.bytes > 200_000 > 1000 > light.bytes
    assert min(heavy.packing, heavy.unpacking, light.packing, light.unpacking) > 0
    packing = [span for span in done.dishes.by_lane["loaf 1"] if span.label == "pack" and span.state is RUNNING]
    assert packing[0].duration == pytest.approx(heavy.packing)


def test_what_cannot_be_packed_is_refused_and_leaves_nobody_behind(cook):
    before = running()
    with pytest.raises(Exception, match="pickle"):
        cook(LOAVES, ingredients={"loaf 3": threading.Lock()})
    assert settled(before) is True
    assert cooks.so_far().dishes.outcomes["loaf 3"] == UNFINISHED


def test_an_empty_menu_and_nonsense(cook):
    assert cook([]).dishes.spans == ()
    for minute in (0, -1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="kitchen minute"):
            cook(LOAVES, minute=minute)
    with pytest.raises(ValueError, match="'egg'"):
        cook([Dish("egg", []), Dish("egg", [])])
    with pytest.raises(ValueError, match="'egg'"):
        cook(LOAVES, ingredients={"egg": 1})
    for number in (0, -1, 1.5, None):
        with pytest.raises(ValueError, match="hire"):
            cooks.processes(LOAVES, cooks=number)


def test_an_asynchronous_client_is_refused():
    with pytest.raises(TypeError, match="asynchronous"):
        cooks.cluster(LOAVES, SimpleNamespace(asynchronous=True))


def test_who_gets_no_dish_has_an_empty_lane_or_nothing_to_do(cook):
    done = cook(LOAVES[:1])
    idle = set(done.cooks.lanes) - {done.served[0].cook}
    assert [span for lane in idle for span in done.cooks.by_lane[lane] if span.state is not WAITING] == []


def test_processes_end_with_their_run():
    before = running()
    cooks.processes(LOAVES)
    assert running() <= before


# --- clocks ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ahead", [-1000.0, -0.5, 0.0, 0.5, 1000.0])
def test_clocks_that_differ_are_moved_no_more_than_the_order_of_things_needs(ahead):
    """A cook whose clock is ahead: the dish was sent at 0.1, cooked from 1 to 2, and its result was here at 2.1."""
    dish = Dish("soup", [work("stir", 1)])
    with cooks._Catering("a test", [dish], 1.0, {}, {"there": 1}) as kitchen:
        kitchen._packed[0] = 0.0, 0.1, 100
        stirring = cooks.perform.sync([Dish("soup", [])])
        report = cooks._Report(("there", 1), 1 + ahead, 1 + ahead, 2 + ahead, stirring)
        kitchen.serve(0, report, 0.0, 2.1)
    (held,) = [span for span in kitchen.cooked().cooks.spans if span.label == "soup"]
    assert held.duration == pytest.approx(1)
    assert held.start >= 0.1 - 1e-9
    assert held.end <= 2.1 + 1e-9
    if ahead == 0:
        assert held.start == 1


@pytest.mark.parametrize("dates", [(1, 2), (1.5, 2), (-9, -9), (9, 2), (9, 9)])
def test_a_worker_s_dishes_keep_their_order_and_length_whatever_the_dates_say(dates):
    """Its clock is 100 ahead. One dish was cooked from 1 to 2, the next from 2 to 3; both results were here at once."""
    names = ["soup", "bread"]
    with cooks._Catering("a test", [Dish(name, [work("stir", 1)]) for name in names], 1.0, {}, {"there": 1}) as kitchen:
        done = []
        for lane, date in enumerate(dates):
            kitchen._packed[lane] = 0.0, 0.9, 100
            stirring = cooks.perform.sync([Dish("stirring", [])])
            report = cooks._Report(("there", 1), 101 + lane, 101 + lane, 102 + lane, stirring)
            done.append(cooks._Done(lane, report, 2.05 + lane, date))
        zeros = kitchen.clocks(done)
        for lane, report, received, _ in done:
            kitchen.serve(lane, report, zeros["there"], received)
    soup, bread = (span for span in kitchen.cooked().cooks.spans if span.label in names)
    assert soup.duration == pytest.approx(1) and bread.duration == pytest.approx(1)
    assert soup.start >= 0.9 - 1e-9 and soup.end == pytest.approx(bread.start) and bread.end <= 3.05 + 1e-9
    if dates == (1, 2):
        assert soup.start == pytest.approx(1)


def test_a_result_is_here_when_it_can_be_read():
    """A worker says that a dish is done, and dies before the result has been fetched: then it is cooked once more."""

    class CookedAgain(Future):
        def result(self, timeout=None):
            time.sleep(0.2)
            return super().result(timeout)

    future = CookedAgain()
    with cooks._Catering("a test", LOAVES[:1], 1.0, {}, {"there": 1}) as kitchen:
        kitchen.send(0, lambda *_: future)
        future.set_result("a report")
        done = kitchen.dishes.now()
        ((lane, report, error, received),) = kitchen.answers()
    assert (lane, report, error) == (0, "a report", None)
    assert received >= done + 0.2


# --- what falls over -------------------------------------------------------------------------------------------------


def kill_one(others):
    """Kills one of the processes that have been started since."""
    next(iter(set(multiprocessing.active_children()) - others)).kill()


@pytest.fixture
def when_finished(monkeypatch):
    """`when_finished(condition, act)`: acts once, as soon as the condition holds of the cooks who have finished a dish."""
    answers = cooks._Catering.answers

    def plan(condition, act):
        seen, acted = [], []

        def acting(kitchen, **options):
            for answer in answers(kitchen, **options):
                _, report, _, _ = answer
                seen.append(getattr(report, "who", None))
                if not acted and condition(seen):
                    acted.append(True)
                    act()
                yield answer

        monkeypatch.setattr(cooks._Catering, "answers", acting)

    return plan


@pytest.mark.parametrize("ingredients", [None, bytes(1_000_000)], ids=["light", "heavy"])
def test_a_killed_process_leaves_every_dish_with_an_outcome(ingredients, when_finished):
    before, others = running(), set(multiprocessing.active_children())
    when_finished(any, lambda: kill_one(others))
    done = cooks.processes(LONG, ingredients={dish.name: ingredients for dish in LONG})
    finished = {served.dish for served in done.served}
    assert finished | set(done.dishes.outcomes) == set(done.dishes.lanes)
    assert finished & set(done.dishes.outcomes) == set()
    assert set(done.dishes.outcomes.values()) == {"lost: a cook died"}
    if sys.platform != "win32":
        assert f"ended by signal {signal.SIGKILL:d}" in done.cooks.outcomes.values()
    assert settled(before) is True
    for gone in done.cooks.outcomes:
        assert not done.cooks.by_lane[gone] or done.cooks.by_lane[gone][-1].state is not WAITING  # who is dead does not


@with_dask
def test_dask_sends_the_dishes_of_a_killed_worker_to_another(when_finished):
    others = set(multiprocessing.active_children())
    when_finished(any, lambda: kill_one(others))
    with cluster() as client:
        done = cooks.cluster(LONG, client)
    assert done.dishes.outcomes == {}
    assert len(done.served) == len(LONG)
    assert "gone" in done.cooks.outcomes.values()


@with_dask
def test_what_a_killed_worker_had_finished_is_drawn_where_it_was_cooked(when_finished):
    """When each of two has finished a dish, one of them is killed. No work is missing from the picture."""
    others = set(multiprocessing.active_children())
    when_finished(lambda seen: len(set(seen)) == 2, lambda: kill_one(others))
    with cluster() as client:
        done = cooks.cluster(LONG, client)
    assert done.dishes.outcomes == {} and list(done.cooks.outcomes.values()) == ["gone"]
    (gone,) = done.cooks.outcomes
    assert gone in {served.cook for served in done.served}  # it has what it had finished
    for dish, spans in done.dishes.by_lane.items():
        assert sum(span.duration for span in spans if span.label == "knead") > 0.35, dish  # of 0.4 s of CPU time


@pytest.mark.slow  # four workers one after the other, and how long each takes to come is dask's affair
@with_dask
def test_a_dish_that_kills_every_worker_is_given_up(monkeypatch):
    monkeypatch.setattr(cooks, "WORKERLESS_SECONDS", 300.0)  # the next worker may be long in coming
    others = set(multiprocessing.active_children())
    with cluster(1) as client:
        ended = threading.Event()

        def executioner():
            dead = set()  # addresses: dask replaces no worker that dies before its nanny has heard that it is there
            while not ended.wait(0.1):
                at_work = client.processing()
                for address in [nanny.worker_address for nanny in client.cluster.workers.values()]:
                    if at_work.get(address) and address not in dead:
                        dead.add(address)
                        kill_one(others)

        thread = threading.Thread(target=executioner)
        thread.start()
        try:
            done = cooks.cluster([Dish("poison", [work("stir", 1e4)])], client)
        finally:
            ended.set()
            thread.join()
    assert done.dishes.outcomes["poison"].startswith("KilledWorker")


@with_dask
def test_without_any_worker_the_dishes_are_given_up_after_a_while(monkeypatch):
    monkeypatch.setattr(cooks, "WORKERLESS_SECONDS", 1.0)
    with cluster(0) as client:
        done = cooks.cluster(LOAVES, client)
    assert set(done.dishes.outcomes.values()) == {"TimeoutError: the cluster had no worker for 1 s"}
    assert set(done.dishes.outcomes) == set(done.dishes.lanes)


@with_dask
def test_a_cluster_made_as_in_the_notebook_is_open_to_this_computer_only(client):
    notebook = json.loads((ROOT / "notebooks" / "10-more-cooks.ipynb").read_text(encoding="utf-8"))
    code = "\n".join("".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code")
    assert set(re.findall(r'"dashboard_address": "(.*?)"', code)) == {LOCAL["dashboard_address"]}
    assert set(re.findall(r"LocalCluster\((.*?)[,)]", code)) == {"**local"}
    ours = [psutil.Process(), *psutil.Process().children(recursive=True)]
    asked = [getattr(process, "net_connections", None) or process.connections for process in ours]  # psutil 5 has these
    sockets = [socket for ask in asked for socket in ask("inet")]
    listening = [socket.laddr.ip for socket in sockets if socket.status == psutil.CONN_LISTEN]
    assert len(listening) >= 4  # the scheduler, its dashboard, and two workers at least
    assert set(listening) <= {"127.0.0.1", "::1"}


@with_dask
def test_a_cluster_that_goes_away_leaves_every_dish_with_an_outcome(monkeypatch):
    monkeypatch.setattr(cooks, "WORKERLESS_SECONDS", 3.0)
    before = running()
    with cluster() as client:
        timer = threading.Timer(0.3, client.cluster.close)
        timer.start()
        done = cooks.cluster([Dish(str(number), [work("knead", 300)]) for number in range(4)], client)
        timer.join()
    assert set(done.dishes.outcomes) == set(done.dishes.lanes)
    assert settled(before) is True


PROGRAM = """
import sys, threading
from kitchen import Dish, cooks, work, wait

steps = [work("knead", 1), wait("rest", 1)] * 10_000
menu = [Dish("bread", [work("shape", 0.1)]), Dish("loaf 1", steps), Dish("loaf 2", steps)]


def begun():
    print("begun", *(p.pid for p in psutil.Process().children(recursive=True)), flush=True)


if __name__ == "__main__":
    import psutil
    timer = threading.Timer(1.5, begun)
    try:
        if sys.argv[1] == "processes":
            timer.start()
            cooks.processes(menu)
        else:
            from distributed import Client, LocalCluster
            with LocalCluster(2, **LOCAL | {"silence_logs": "CRITICAL"}) as c:
                with Client(c) as client:
                    timer.start()
                    try:
                        cooks.cluster(menu, client)
                    except KeyboardInterrupt:
                        for _ in range(600):  # the dishes are taken from the workers, who stay
                            busy = client.run(lambda: len(cooks._under_way))
                            if not any(busy.values()):
                                break
                            threading.Event().wait(0.1)
                        assert len(busy) and not any(busy.values()), busy
                        raise
    except KeyboardInterrupt:
        timer.join()
        done = cooks.so_far()
        assert done.dishes.outcomes["loaf 1"] == done.dishes.outcomes["loaf 2"] == "unfinished", done.dishes.outcomes
        left = [p for p in psutil.Process().children(recursive=True) if "resource_tracker" not in " ".join(p.cmdline())]
        assert not left, left
        print("clean", flush=True)
"""


@pytest.fixture(params=BOTH)
def program(request, tmp_path):
    """A script that cooks for ever, and the processes that it has started when it says "begun"."""
    path = tmp_path / "script.py"
    path.write_text(f"LOCAL = {LOCAL!r}\n{PROGRAM}", encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, path, request.param]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            word, *pids = process.stdout.readline().split()
            assert word == "begun"
            yield process, [psutil.Process(int(pid)) for pid in pids if psutil.pid_exists(int(pid))]
        finally:
            process.kill()


@pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal")
def test_an_interrupt_ends_everything_and_keeps_what_is_known(program):
    process, started = program
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == "clean\n"
    assert process.wait(120) == 0
    assert psutil.wait_procs(started, timeout=120)[1] == []


def test_cooks_never_outlive_the_process_that_started_them(program):
    process, started = program
    process.kill()
    assert psutil.wait_procs(started, timeout=120)[1] == []
