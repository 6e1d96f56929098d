"""What runs here also runs where there is less: without what only POSIX has, with coarse clocks, in an ASCII terminal.

macOS and Windows are not here. What they lack is taken away instead, from a process of its own, before it imports
`kitchen`.
"""

import subprocess
import sys
from textwrap import dedent

import pytest

LESS = """
import asyncio, builtins, concurrent.futures, logging, multiprocessing, os, random, signal, ssl, subprocess, sys, time

for name in ("fcntl", "resource", "pwd", "grp", "termios", "pty", "tty"):
    sys.modules[name] = None  # importing it is an ImportError
for name in ("sched_getaffinity", "fork", "getuid", "geteuid", "getpgid", "killpg", "setsid", "register_at_fork"):
    vars(os).pop(name, None)
os.process_cpu_count = os.cpu_count  # as it is where there is no sched_getaffinity
for name in ("SIGALRM", "SIGUSR1", "SIGHUP", "pthread_kill", "setitimer", "pthread_sigmask"):
    vars(signal).pop(name, None)

def unsupported(self, *arguments):
    raise NotImplementedError

asyncio.SelectorEventLoop.add_signal_handler = asyncio.SelectorEventLoop.remove_signal_handler = unsupported

plain_open, plain_os_open = open, os.open

def no_proc(plain):
    def opened(file, *arguments, **options):
        if str(file).startswith("/proc/"):
            raise FileNotFoundError(file)
        return plain(file, *arguments, **options)
    return opened

builtins.open, os.open = no_proc(open), no_proc(os.open)

exact = time.thread_time
time.thread_time = lambda: exact() // (1 / 64) / 64  # in steps of 16 ms
import kitchen.recorder

kitchen.recorder.CPU_CLOCK_IS_FINE = False
"""

PROGRAMS = {
    "simulate and show": """
        from kitchen import dinner, simulate
        for timeline in (simulate.sync(dinner()), simulate.threaded(dinner()), simulate.cooperative(dinner())):
            print(timeline)
        assert timeline.makespan == 18
    """,
    "perform": """
        from kitchen import dinner, perform
        for timeline in (
            perform.sync(dinner(), 0.005),
            perform.threaded(dinner(), 0.005),
            asyncio.run(perform.cooperative(dinner(), 0.005)),
        ):
            assert len(timeline.lanes) == 3 and not timeline.outcomes, timeline
            print(timeline)
    """,
    "fetch": """
        from kitchen import fetch
        from kitchen.web.site import serve
        with serve(0.01) as site:
            for run in (
                fetch.sync(site.urls(3)),
                fetch.threaded(site.urls(3)),
                asyncio.run(fetch.cooperative(site.urls(3))),
            ):
                assert [result.status for result in run.results] == [200] * 3, run.results
                print(run.timeline)
    """,
    "watch": """
        from kitchen import watch
        async def main():
            async with watch() as run:
                await asyncio.gather(asyncio.sleep(0.01), asyncio.to_thread(time.sleep, 0.05))
                others = [asyncio.create_task(asyncio.sleep(0.01 * n)) for n in range(5)]
                await asyncio.sleep(0)
                time.sleep(0.3)
                await asyncio.gather(*others)
            return run
        run = asyncio.run(main())
        assert any("held the loop" in str(finding) for finding in run.findings), run.findings
        print(run.timeline)
    """,
    "judge": """
        from kitchen.exercises import start_here
        from kitchen.lesson.exercise import Exercise
        exercises = [each for each in vars(start_here).values() if isinstance(each, Exercise)]
        for each in exercises:
            assert each.check(each.made(each.answer_code)).right, each.name
    """,
    "save": """
        from tempfile import TemporaryDirectory
        from kitchen import dinner, simulate
        from kitchen.timeline import Timeline
        timeline = simulate.cooperative(dinner())
        assert Timeline.from_json(timeline.to_json()).spans == timeline.spans
        with TemporaryDirectory() as folder:
            timeline.save(os.path.join(folder, "dinner.html"))
    """,
}


def ran(*options, code, **environment):
    """Runs this in a process of its own, in a terminal that knows ASCII only."""
    bare = {"PYTHONUTF8": "0", "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "MPLBACKEND": "agg"}
    command = [sys.executable, *options, "-c", code]
    return subprocess.run(
        command, capture_output=True, text=True, encoding="utf-8", env=bare | environment, timeout=300
    )


@pytest.fixture
def environment(monkeypatch):
    """What a process needs here, and nothing of what the terminal or the user has set."""
    import os

    return {
        name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "SYSTEMROOT", "PYTHONPATH") if name in os.environ
    }


@pytest.mark.long
@pytest.mark.parametrize("what", PROGRAMS)
def test_it_runs_without_what_only_posix_has(what, environment):
    done = ran(code=LESS + dedent(PROGRAMS[what]), **environment)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.long
@pytest.mark.parametrize("what", PROGRAMS)
def test_every_file_is_read_and_written_in_an_encoding_of_our_choice(what, environment):
    """And nothing of ours is on its way out of Python."""
    strict = """
        import asyncio, os, time, warnings
        warnings.simplefilter("ignore")
        for kind in (EncodingWarning, DeprecationWarning):
            warnings.filterwarnings("error", category=kind, module=r"kitchen(\\.|$)")
    """
    done = ran("-X", "warn_default_encoding", code=dedent(strict) + dedent(PROGRAMS[what]), **environment)
    assert done.returncode == 0, done.stderr
