"""The web site: what its pages and its faults look like to a client, and that it is gone when it should be."""

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import aiohttp
import httpx
import pytest

from kitchen.web import site as server
from kitchen.web.site import FAULTS, serve

ROOT = Path(__file__).parents[2]
posix = pytest.mark.skipif(os.name != "posix", reason="Windows has neither process groups, nor fork, nor SIGKILL")


@pytest.fixture(scope="module")
def site():
    with serve(delay=0.01) as site:
        yield site


@pytest.fixture
def started(monkeypatch):
    """The processes that `serve` starts in this test."""
    processes = []

    class Popen(subprocess.Popen):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            processes.append(self)

    monkeypatch.setattr(server.subprocess, "Popen", Popen)
    return processes


def get(url, **options):
    with httpx.Client(trust_env=False, timeout=30) as client:
        return client.get(url, **options)


def listens(url):
    url = httpx.URL(url)
    try:
        socket.create_connection((url.host, url.port), timeout=5).close()
    except ConnectionRefusedError:
        return False
    except ConnectionResetError:  # it ended while we knocked: who asks again is refused
        return True
    return True


def until_gone(url):
    """Waits until nobody listens there any more."""
    began = time.perf_counter()
    while listens(url):
        assert time.perf_counter() - began < 60, f"{url} outlives its parent"
        time.sleep(0.01)


def tidy(process):
    """Whether it has been reaped, and its pipes closed."""
    return process.returncode is not None and process.stdin.closed and process.stdout.closed


# Pages


def test_a_page_names_its_number_and_is_the_same_every_time(site):
    pages = [get(url) for url in site.urls(3) * 2]
    assert [page.status_code for page in pages] == [200] * 6
    assert [page.content for page in pages[:3]] == [page.content for page in pages[3:]]
    assert all(f"Page {number}<" in page.text for number, page in enumerate(pages[:3]))
    assert all(800 < len(page.content) < 1200 for page in pages)
    assert pages[0].headers["Content-Type"].startswith("text/html")


def test_urls_are_distinct_and_in_order(site):
    assert site.urls(0) == []
    assert site.urls(100) == [f"{site.base}/{number}" for number in range(100)]
    assert site.url() == f"{site.base}/0"
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", site.base)


def test_faults_go_where_they_were_asked_for(site):
    urls = site.urls(100, faults={3: "refuse", 10: 503})
    assert len(set(urls)) == 100
    assert urls[10] == site.url(10, fault=503) == f"{site.base}/10?fault=503"
    assert urls[3] == site.url(3, fault="refuse")
    assert not urls[3].startswith(site.base)
    assert [url for number, url in enumerate(urls) if number not in (3, 10)] == [
        url for number, url in enumerate(site.urls(100)) if number not in (3, 10)
    ]


def test_there_is_no_other_page(site):
    answer = get(site.base + "/<script>alert(1)</script>")
    assert answer.status_code == 404
    assert "There is no such page" in answer.text
    assert "&lt;script&gt;" in answer.text and "<script>" not in answer.text
    for path in "/", "/-1", "/1.5", "/7/8", "//7", "/%D9%A3", "/%FF":
        assert get(site.base + path).status_code == 404, path


@pytest.mark.parametrize(
    "query",
    [
        "fault=soup",
        "fault=",
        "fault=199",
        "fault=600",
        "fault=-5",
        "fault=refuse",
        "fault=%FF",
        "fault=" + "9" * 5000,
        "fault=²",
    ]
    + ["delay=soon", "delay=-1", "delay=nan", "delay=inf", "delay=", "fault=drip&delay=x", "fault=<b>"],
)
def test_nonsense_in_a_query_is_a_400_that_says_why(site, query):
    answer = get(f"{site.base}/7?{query}")
    assert answer.status_code == 400
    assert re.search("give a (status|finite number)|refuses a connection", answer.text)
    assert "<b>" not in answer.text


# Delays


@pytest.mark.long
def test_a_page_takes_its_delay():
    with serve(delay=0.2) as site:
        for url, at_least in (site.url(), 0.2), (site.url(delay=0.3), 0.3), (site.url(fault=500, delay=0.4), 0.4):
            began = time.perf_counter()
            get(url)
            assert time.perf_counter() - began >= at_least


def test_the_delay_of_one_page_is_its_own():
    with serve(delay=60) as site:
        assert get(site.url(delay=0)).status_code == 200  # a client waits for 30 s, not for 60
        with pytest.raises(httpx.ReadTimeout):
            get(site.url(), timeout=0.2)


# Faults, as a plain client sees them


@pytest.mark.parametrize("status", [200, 204, 302, 304, 404, 418, 500, 503, 599])
def test_a_status(site, status):
    with httpx.Client(trust_env=False) as client:
        answer = client.get(site.url(7, fault=status), follow_redirects=True)
        assert answer.status_code == status
        assert bool(answer.content) == (status not in (204, 304))
        assert client.get(site.url(7)).text == get(site.url(7)).text  # the connection is still good


@pytest.mark.parametrize(
    ("fault", "error", "says"),
    [
        ("refuse", httpx.ConnectError, None),
        ("reset", httpx.ReadError, None),
        ("cut", httpx.RemoteProtocolError, "without sending complete message body"),
        ("never", httpx.ReadTimeout, None),
        ("garbage", httpx.RemoteProtocolError, "illegal status line"),
        ("loop", httpx.TooManyRedirects, None),
    ],
)
def test_a_fault(site, fault, error, says):
    with pytest.raises(error, match=says):
        get(site.url(7, fault=fault), follow_redirects=True, timeout=0.5 if fault == "never" else 30)
    assert get(site.url(7)).status_code == 200  # and the site is none the worse for it


def test_a_reset_and_a_cut_come_in_the_middle_of_the_page(site):
    whole = get(site.url(7))
    for fault, error in ("reset", httpx.ReadError), ("cut", httpx.RemoteProtocolError):
        came = b""
        with httpx.stream("GET", site.url(7, fault=fault), trust_env=False) as answer, pytest.raises(error):
            assert answer.status_code == 200
            assert answer.headers["Content-Length"] == whole.headers["Content-Length"]
            for some in answer.iter_raw():
                came += some
        assert whole.content.startswith(came) and len(came) < len(whole.content)


def test_a_drip_outwits_a_timeout_between_bytes(site):
    began = time.perf_counter()
    with httpx.stream("GET", site.url(7, fault="drip"), trust_env=False, timeout=30) as answer:
        drops = answer.iter_raw()
        assert b"".join(next(drops) for _ in range(5)) == b"....."
    assert time.perf_counter() - began >= 0.4


def test_every_fault_is_tried_above():
    tried = {"refuse", "reset", "cut", "drip", "never", "garbage", "loop"}
    assert set(FAULTS) == tried


# Many at once


@pytest.mark.slow
def test_a_thousand_requests_at_once():
    resource = pytest.importorskip("resource", reason="without it nobody limits the open files")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 2500:
        pytest.skip("the hard limit does not allow a thousand connections")
    n, delay = 1000, 1.0

    async def fetch_all(urls):
        async def fetch(url):
            async with session.get(url) as answer:
                return answer.status, await answer.text()

        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            return await asyncio.gather(*map(fetch, urls))

    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2500), hard))
    try:
        with serve(delay) as site:
            began = time.perf_counter()
            answers = asyncio.run(fetch_all(site.urls(n)))
            took = time.perf_counter() - began
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert [status for status, _ in answers] == [200] * n
    assert all(f"Page {number}<" in text for number, (_, text) in enumerate(answers))
    assert took < n * delay / 10


def test_a_thousand_connections_are_open_at_once():
    resource = pytest.importorskip("resource", reason="without it nobody limits the open files")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 2500:
        pytest.skip("the hard limit does not allow a thousand connections")
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))  # the site inherits a low limit, as on a Mac, and raises it
    connections = []
    try:
        with serve(delay=0) as site:
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2500), hard))
            address = ("127.0.0.1", httpx.URL(site.base).port)
            for number in range(1000):
                connections.append(socket.create_connection(address, timeout=60))
                connections[-1].sendall(f"GET /{number}?fault=never HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            assert get(site.url(7)).status_code == 200  # the thousand-and-first
    finally:
        for connection in connections:
            connection.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


# Coming and going


def test_it_is_another_process(site):
    assert site.pid != os.getpid()


def test_two_sites_at_once(site):
    with serve(delay=0) as other:
        assert site.base != other.base and site.pid != other.pid
        assert get(site.url(7)).text == get(other.url(7)).text


@pytest.mark.filterwarnings("error")
def test_gone_after_the_block(started):
    with serve() as site:
        assert listens(site.base)
    assert not listens(site.base)
    assert tidy(*started)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("interruption", [ZeroDivisionError, KeyboardInterrupt])
def test_gone_after_an_exception_in_the_block(started, interruption):
    with pytest.raises(interruption), serve() as site:
        raise interruption
    assert not listens(site.base)
    assert tidy(*started)


def test_open_requests_do_not_hold_it_up(started):
    with httpx.Client(trust_env=False) as client:
        with serve(delay=0) as site:
            answer = client.send(client.build_request("GET", site.url(fault="drip")), stream=True)
            assert answer.status_code == 200
        assert started[0].returncode == 0  # it went by itself: killed it would be another number
        with pytest.raises(httpx.RemoteProtocolError):
            answer.read()


@posix
def test_killed_if_it_does_not_end(started, monkeypatch):
    monkeypatch.setattr(server, "END_SECONDS", 0.1)
    with serve() as site:
        os.kill(site.pid, signal.SIGSTOP)
        os.waitpid(site.pid, os.WUNTRACED)  # until it has stopped
    assert started[0].returncode == -signal.SIGKILL
    assert tidy(*started)


def test_no_harm_if_it_is_gone_before(started):
    with serve():
        started[0].kill()
        started[0].wait()
    assert tidy(*started)


def in_a_process(code, **options):
    """Another Python that runs `code` inside `with serve(…) as site`, after printing site.base, as a Popen."""
    lines = ["import os, signal, subprocess, sys, time, urllib.request", "from kitchen.web.site import serve"]
    lines += ["with serve(delay=0) as site:", "    print(site.base, flush=True)"]
    program = "\n".join(lines + ["    " + line for line in code.splitlines()])
    return subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(ROOT), "no_proxy": "*"},
        text=True,
        **options,
    )


def test_it_starts_whatever_the_environment_says_of_certificates_and_letters(monkeypatch):
    for variable in "SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE":
        monkeypatch.setenv(variable, "/nowhere/at/all")
    monkeypatch.setenv("PYTHONIOENCODING", "utf-16")
    with serve(delay=0) as site:
        assert listens(site.base)


@posix
def test_a_forked_child_that_leaves_the_block_does_not_end_its_parents_site():
    child = "child = os.fork()\nif child: os.waitpid(child, 0); print(urllib.request.urlopen(site.base + '/7').status)"
    with in_a_process(child) as parent:
        base, status = parent.stdout.readline().strip(), parent.stdout.readline().strip()
    assert status == "200"
    assert not listens(base)
    assert parent.returncode == 0


def gone_after_kill(code):
    """The last line of a parent that runs `code` and is killed; the site does not outlive it."""
    with in_a_process(code) as parent:
        try:
            base, last = parent.stdout.readline().strip(), parent.stdout.readline().strip()
            assert listens(base)
            parent.kill()
            until_gone(base)
        finally:
            parent.kill()
    return last


def test_gone_when_the_parent_is_killed():
    gone_after_kill("print('there', flush=True); time.sleep(60)")


@posix
@pytest.mark.parametrize(
    "code",
    [
        "child = os.fork()\nif child: print(child, flush=True)\nos.close(1)\ntime.sleep(60)",
        "for fd in range(3, 30):\n"
        "    try: os.set_inheritable(fd, True)\n"
        "    except OSError: pass\n"
        "print(subprocess.Popen(['sleep', '60'], close_fds=False, stdout=2).pid, flush=True)\n"
        "time.sleep(60)",
    ],
    ids=["fork", "inherited"],
)
def test_gone_when_the_parent_is_killed_and_a_sibling_holds_its_pipes(code):
    sibling = None
    try:
        sibling = gone_after_kill(code)
        os.kill(int(sibling), 0)  # the sibling did live on
    finally:
        if sibling:
            with suppress(ProcessLookupError):
                os.kill(int(sibling), signal.SIGKILL)


@posix
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")  # what the child does after it is harmless
def test_gone_at_once_after_the_block_while_a_sibling_holds_its_pipes(started):
    with serve():
        readable, writable = os.pipe()
        child = os.fork()
        if not child:
            os.read(readable, 1)  # holds on to all pipes until it is killed
            os._exit(0)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(readable), os.close(writable)
    assert started[0].returncode == 0  # it went by itself: killed it would be -9


@posix
def test_an_interrupt_of_the_whole_group_does_not_take_it_down():
    code = """\
try:
    print("ready", flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    print(urllib.request.urlopen(site.url(7)).status, flush=True)"""
    with in_a_process(code, start_new_session=True) as parent:
        try:
            base = parent.stdout.readline().strip()
            assert parent.stdout.readline() == "ready\n"
            os.killpg(parent.pid, signal.SIGINT)
            assert parent.stdout.readline() == "200\n"
            assert parent.wait(20) == 0
        finally:
            parent.kill()
    assert not listens(base)


@posix
def test_an_interrupt_while_it_starts_leaves_nothing_behind(started, monkeypatch):
    def interrupted(process):
        raise KeyboardInterrupt

    monkeypatch.setattr(server, "_when_ready", interrupted)
    with pytest.raises(KeyboardInterrupt), serve():
        pass
    assert tidy(*started)


def test_it_starts_from_any_working_directory(tmp_path, monkeypatch):
    (tmp_path / "json.py").write_text("raise SystemExit('I am not json')")
    monkeypatch.chdir(tmp_path)
    with serve(delay=0) as site:
        assert get(site.url()).status_code == 200


def test_it_listens_on_this_machine_only(site):
    port = httpx.URL(site.base).port
    if sys.platform == "linux":  # 127.0.0.2 is this machine as well, but not the address that was asked for
        assert not listens(f"http://127.0.0.2:{port}")
        tables = [Path(f"/proc/net/{table}").read_text().split("\n") for table in ("tcp", "tcp6")]
        listening = [
            line.split()[1] for table in tables for line in table if f":{port:04X} " in line and " 0A " in line
        ]
        assert listening == [f"0100007F:{port:04X}"]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, suppress(OSError):
        probe.connect(("192.0.2.1", 9))  # sends nothing: it only says which address of ours faces the world
        assert not listens(f"http://{probe.getsockname()[0]}:{port}")


# What goes wrong


@pytest.mark.parametrize("delay", [-1, float("nan"), float("inf"), None, "soon", 10**400])
def test_a_bad_delay(site, started, delay):
    with pytest.raises(ValueError, match=r"delay is .*: give a finite number of seconds, 0 or more"), serve(delay):
        pass
    assert not started
    if delay is not None:
        with pytest.raises(ValueError, match="delay is"):
            site.url(delay=delay)


@pytest.mark.parametrize("fault", ["soup", "", 0, 100, 199, 600, -1, True, 2.5, ["drip"], "503"])
def test_an_unknown_fault(site, fault):
    for ask in lambda: site.url(7, fault=fault), lambda: site.urls(9, faults={7: fault}):
        with pytest.raises(ValueError, match=r"unknown fault .*200 to 599.*refuse, reset, cut, drip"):
            ask()


@pytest.mark.parametrize("n", [-1, 1.5, "3", None, float("nan")])
def test_a_bad_number(site, n):
    with pytest.raises(ValueError, match=r"n is .*: give a whole number, 0 or more"):
        site.urls(n)
    with pytest.raises(ValueError, match=r"number is .*: give a whole number, 0 or more"):
        site.url(n)


@pytest.mark.parametrize("number", [3, -1, "0", 1.5, None])
def test_a_fault_beyond_the_last_page(site, number):
    with pytest.raises(ValueError, match=r"faults for pages .* where n is 3"):
        site.urls(3, faults={number: "drip"})


def broken(monkeypatch, tmp_path, program):
    """Makes `serve` start `program` instead of the site."""
    path = tmp_path / "broken.py"
    path.write_text(program)
    monkeypatch.setattr(server, "__file__", str(path))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("program", "says"),
    [
        ("import no_such_package", "(?s)Traceback.*No module named 'no_such_package'.*pip install"),
        ("print('soup')", "soup"),
        ("print('{}')", r"\{\}"),
        ("", "nothing"),
        (r"import sys; sys.stdout.buffer.write(b'\xff\xfe')", "It said:\n\N{REPLACEMENT CHARACTER}"),
    ],
    ids=["import error", "garbage", "other json", "silence", "no text"],
)
def test_it_says_why_it_did_not_start(started, monkeypatch, tmp_path, program, says):
    broken(monkeypatch, tmp_path, program)
    with pytest.raises(RuntimeError, match=says), serve():
        pass
    assert tidy(*started)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "program", ["import time; time.sleep(60)", "import time; print('hm', flush=True); time.sleep(60)"]
)
def test_it_does_not_wait_for_ever(started, monkeypatch, tmp_path, program):
    broken(monkeypatch, tmp_path, program)
    monkeypatch.setattr(server, "START_SECONDS", 0.5)
    with pytest.raises(RuntimeError, match="did not start"), serve():
        pass
    assert tidy(*started)


def test_no_python_to_start_it_with(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "nowhere"))
    with pytest.raises(RuntimeError, match="nowhere"), serve():
        pass


def test_chatter_before_it_is_ready_does_no_harm(monkeypatch, tmp_path):
    real = f"import runpy; runpy.run_path({server.__file__!r}, run_name='__main__')"
    broken(monkeypatch, tmp_path, f"print('a debugger says hello')\n{real}")
    with serve(delay=0) as site:
        assert get(site.url()).status_code == 200


def test_aiohttp_is_loaded_in_the_site_only():
    code = "import json, sys, kitchen.web.site; print(json.dumps(sorted(sys.modules)))"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    modules = json.loads(subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True).stdout)
    assert "kitchen.web.site" in modules and "aiohttp" not in modules
