"""What this machine has, and what it lacks, for tests that need more than Python."""

import os
import shutil

import pytest

FLAGS = [  # for Chromium: no window, and nothing of its own that goes to the network
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium():
    """The path of the Chromium that CHROMIUM names, or of one that is on the PATH; None if there is none."""
    names = "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge"
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)


def missing(reason):
    """On a build server the tests have to run; elsewhere they may be left out."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
