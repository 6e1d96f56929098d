"""From a fresh clone to a page that can be used: how long the README's first command takes; prints a table of seconds.

    .venv/bin/python tests/scripts/first_page.py                     # with pip and with uv
    .venv/bin/python tests/scripts/first_page.py --python python3.12 # started with another Python than the system's own

The command is started in a fresh copy of this folder, as on a machine that has never
installed anything: with an empty cache, then in a second clone with the cache that the first has filled; then a third time
in that clone, where all is installed. The clock starts with the command. "installed" is when it says that it opens
JupyterLab, "server up" when it has printed its address, "usable" when the page that a real Chromium opens there shows the
first heading of notebook 00, and its kernel is idle.

Needs a Chromium or Chrome, a package index that pip is set up for, and 1 GB of disk in the temporary folder, where
uv is installed too; takes some five minutes on two cores. How fast the index and the line to it are is part of the result.
Exits with 1 unless every page came.
"""

import argparse
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from bare import PATIENCE, Bench, ending, read_until
from playwright.sync_api import sync_playwright
from tables import table
from versions import ROOT

sys.path.append(str(ROOT / "tests"))
from helpers.machine import FLAGS, chromium

HEADING = "Start here"
IDLE = ".jp-NotebookPanel .jp-Notebook-ExecutionIndicator[data-status=idle]"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    own = "/usr/bin/python3" if os.access("/usr/bin/python3", os.X_OK) else "python3"
    parser.add_argument("--python", default=own, help=f"the Python that starts it; the default is {own}")
    parser.add_argument("--only", choices=["pip", "uv"], help="with only one of the two")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what is running is ended then, too
    python = shutil.which(asked.python)
    if os.name != "posix" or not python or not chromium():
        raise SystemExit("needs a POSIX system, a Python to start it with (see --python), and a Chromium on the PATH")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    command = re.search(r"```\n(.*?)\n```", readme, re.DOTALL)[1]
    assert command == "python3 -m kitchen", f"the README's first command is now {command}"
    with tempfile.TemporaryDirectory(prefix="kitchen-first-page-") as folder, sync_playwright() as playwright:
        bench = Bench(Path(folder).resolve(), python)
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        rows = []
        for installer in ["pip", "uv"] if asked.only is None else [asked.only]:
            if installer == "uv":
                bench.need_uv()
            for cache in "empty", "full":
                with bench.clone() as clone:
                    rows.append([f"{installer}, {cache} cache", *times(bench, clone, browser, installer)])
                    if cache == "full":
                        rows.append(["the second start", *times(bench, clone, browser, installer)])
        browser.close()
    table(["seconds until", "installed", "server up", "usable"], rows)


def times(bench, clone, browser, installer):
    """The three times, in seconds, of one start in this clone, as texts."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = {"uv": installer == "uv", "UV_CACHE_DIR": str(bench.folder / "cache-uv")}
    first = not (clone / ".venv").exists()
    began = time.monotonic()
    with ended(bench.start(clone, "lab", "--no-browser", "--port", port, **options)) as process:
        said = read_until(process, "opening JupyterLab")
        installed = time.monotonic() - began
        assert (f"with {installer}" in said) == first, said[-2000:]
        assert "going on with pip" not in said, said[-2000:]
        said = read_until(process, "token=")
        server_up = time.monotonic() - began
        address = re.search(rf"http://(localhost|127\.0\.0\.1):{port}/lab/\S+", said)[0]
        usable(browser, address)
        return [f"{seconds:.1f}" for seconds in (installed, server_up, time.monotonic() - began)]


def usable(browser, address):
    """Opens the address, and waits until the page can be used."""
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    context.set_default_timeout(PATIENCE * 1000)
    try:
        page = context.new_page()
        page.goto(address)
        page.locator(".jp-NotebookPanel h1").filter(has_text=HEADING).first.wait_for()
        page.locator(IDLE).first.wait_for(state="attached")
    finally:
        context.close()


@contextmanager
def ended(process):
    """A JupyterLab that ends its kernels before it is gone."""
    with ending(process):
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.communicate(timeout=30)
            except subprocess.TimeoutExpired:
                print("JupyterLab did not end when it was told to")


if __name__ == "__main__":
    main()
