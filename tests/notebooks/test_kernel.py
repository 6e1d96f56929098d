"""In a real Jupyter kernel: interrupting a cell ends what it began, and the Timeline so far is still to be had."""

import os
import queue
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SECONDS = 300  # so long may one cell take before the test gives up

pytestmark = pytest.mark.kernel


@pytest.fixture(scope="module")
def kernel():
    from jupyter_client.manager import start_new_kernel  # here, since it takes seconds to import

    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    manager, client = start_new_kernel(kernel_name="python3", env=environment, cwd=str(ROOT / "notebooks"))
    yield Kernel(manager, client)
    client.stop_channels()
    manager.shutdown_kernel(now=True)


class Kernel:
    """A notebook without a browser: runs a cell, and gives back what it printed."""

    def __init__(self, manager, client):
        self.manager, self.client = manager, client

    def run(self, cell, interrupt_at=None):
        """The cell's printed text, its error's name included; interrupts the kernel once the file `interrupt_at` exists."""
        asked = self.client.execute(cell)
        said = ""
        deadline = time.monotonic() + SECONDS
        while True:
            assert time.monotonic() < deadline, f"no answer within {SECONDS} s, only: {said}"
            if interrupt_at and interrupt_at.exists():
                interrupt_at.unlink()
                self.manager.interrupt_kernel()
            try:
                message = self.client.get_iopub_msg(timeout=0.1)
            except queue.Empty:
                continue
            if message["parent_header"].get("msg_id") != asked:
                continue
            content = message["content"]
            if message["msg_type"] == "stream":
                said += content["text"]
            elif message["msg_type"] == "error":
                said += f"{content['ename']}: {content['evalue']}\n"
            elif message["msg_type"] == "status" and content["execution_state"] == "idle":
                return said


FETCHES = {
    "sync": "fetch.sync(urls)",
    "threaded": "fetch.threaded(urls)",
    "cooperative": "await fetch.cooperative(urls)",
}
PERFORMANCES = {
    "sync": "perform.sync(menu)",
    "threaded": "perform.threaded(menu)",
    "cooperative": "await perform.cooperative(menu)",
}
COUNT = """
import asyncio, gc, os, threading
import kitchen
OURS = os.path.dirname(kitchen.__file__)
def count():
    gc.collect()
    files = len(os.listdir("/dev/fd")) if os.path.isdir("/dev/fd") else 0
    ours = [task for task in asyncio.all_tasks() if OURS in repr(task)]
    return sorted(thread.name for thread in threading.enumerate()), ours, files
async def settled(before):
    for _ in range(100):  # a transport that is closed lets go of its socket in the loop's next rounds
        now = count()
        if now[:2] == before[:2] and now[2] <= before[2]:
            return True
        await asyncio.sleep(0.05)
    return before, count()
"""
TELL = "import pathlib; timer = threading.Timer(1, pathlib.Path({!r}).touch); timer.start()\n"  # in the middle of it


def interrupted(kernel, cell, begun):
    """Runs a cell whose `timer` makes the file `begun`, interrupts it then, and finds that nothing of it is left."""
    said = kernel.run(cell, interrupt_at=begun)
    assert "KeyboardInterrupt" in said or "CancelledError" in said
    assert kernel.run("timer.join(); print(await settled(before))") == "True\n"


@pytest.mark.skipif(sys.platform == "win32", reason="counts open files as POSIX lists them")
@pytest.mark.parametrize("way", FETCHES)
def test_interrupting_a_fetch_leaves_nothing_behind(kernel, way, tmp_path):
    kernel.run(COUNT + "from kitchen import fetch\nfrom kitchen.web.site import serve\nfetch.sync([])")
    kernel.run("context = serve(delay=0.01); site = context.__enter__()\nurls = site.urls(9, {1: 'never', 2: 'drip'})")
    kernel.run("fetch.sync(urls[:1]); await fetch.cooperative(urls[:1]); before = count()")
    begun = tmp_path / "begun"
    interrupted(kernel, TELL.format(str(begun)) + FETCHES[way], begun)
    seen = kernel.run(
        "results, timeline = fetch.so_far()\n"
        "print([result.url for result in results] == urls, results[0].status, results[1].status, results[1].error)\n"
        "print(all(timeline.by_lane.values()), timeline.utilization < 0.5)\n"
        "context.__exit__(None, None, None)"
    )
    assert seen == "True 200 None interrupted before it was finished\nTrue True\n"


@pytest.mark.skipif(sys.platform == "win32", reason="counts open files as POSIX lists them")
def test_interrupting_a_fetch_with_a_thousand_urls_in_flight_leaves_nothing_behind(kernel, tmp_path):
    kernel.run(
        COUNT
        + "from kitchen import fetch\nfrom kitchen.web import client, exchange\nfrom kitchen.web.site import serve"
    )
    kernel.run(
        "context = serve(delay=0.01); site = context.__enter__()\n"
        "urls = site.urls(2_000, dict.fromkeys(range(500, 2_000), 'never'))\n"
        "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))"
    )
    kernel.run("await fetch.cooperative(urls[:1]); before = count()")
    begun = tmp_path / "begun"
    interrupted(
        kernel,
        "def tell():\n"
        "    while client.Run.newest.labels[500:1_500].count(exchange.ANSWER) < 1_000:\n"  # so the first 500 have ended
        "        time.sleep(0.05)\n"
        f"    pathlib.Path({str(begun)!r}).touch()\n"
        "import pathlib, time; timer = threading.Thread(target=tell); timer.start()\n"
        "await fetch.cooperative(urls, limit=1_000, timeout=60)",
        begun,
    )
    seen = kernel.run(
        "results, timeline = fetch.so_far()\n"
        "known = [result.status or result.error for result in results]\n"
        "print(known == [200] * 500 + ['interrupted before it was finished'] * 1_500, all(timeline.by_lane.values()))\n"
        "context.__exit__(None, None, None)"
    )
    assert seen == "True True\n"


@pytest.mark.skipif(sys.platform == "win32", reason="counts open files as POSIX lists them")
@pytest.mark.parametrize("way", PERFORMANCES)
def test_interrupting_a_performance_leaves_nothing_behind(kernel, way, tmp_path):
    kernel.run(COUNT + "from kitchen import Dish, perform, wait, work")
    # A loop that never gets to look up could not hear of the interrupt: kneading has its pauses.
    kernel.run(
        "menu = [Dish('nap', [wait('sleep', 1e6)]), Dish('dough', [work('knead', 5), wait('rise', 1)] * 10_000)]"
    )
    kernel.run("perform.threaded([]); before = count()")
    begun = tmp_path / "begun"
    interrupted(kernel, TELL.format(str(begun)) + PERFORMANCES[way], begun)
    assert kernel.run("print(perform.so_far().lanes)") == "('nap', 'dough')\n"


COOKS = {
    "processes": "{tell}cooks.processes(menu)",
    "cluster": (
        "with LocalCluster(2, threads_per_worker=1, dashboard_address='127.0.0.1:0') as c, Client(c) as client:\n"
        "    {tell}    cooks.cluster(menu, client)"
    ),
}
CHILDREN = """
import psutil
def left():
    def others():
        ours = psutil.Process().children(recursive=True)
        # One that was interrupted while Python began to start it ends by itself, and Python does not know of it any more.
        there = [child for child in ours if child.status() != psutil.STATUS_ZOMBIE]
        return [child for child in there if "resource_tracker" not in " ".join(child.cmdline())]
    for _ in range(100):
        if not others():
            return 0
        time.sleep(0.1)
    return others()
"""


@pytest.mark.parametrize("way", COOKS)
def test_interrupting_several_cooks_leaves_none_of_them_behind(kernel, way, tmp_path):
    if way == "cluster":
        if "CI" not in os.environ:
            pytest.importorskip("distributed")
        kernel.run("from distributed import Client, LocalCluster")
    kernel.run("import threading, time\nfrom kitchen import Dish, cooks, wait, work\n" + CHILDREN)
    kernel.run("menu = [Dish(name, [work('knead', 5), wait('rise', 1)] * 10_000) for name in ('a', 'b', 'c')]")
    begun = tmp_path / "begun"
    said = kernel.run(COOKS[way].format(tell=TELL.format(str(begun))), interrupt_at=begun)
    assert "KeyboardInterrupt" in said
    assert kernel.run("timer.join(); print(left())") == "0\n"
    assert kernel.run("print(set(cooks.so_far().dishes.outcomes.values()))") == "{'unfinished'}\n"
