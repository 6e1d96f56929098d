"""Whose code it is, and where: the reader's own, the standard library's, an installed package's, or ours."""

import asyncio
import sys
import sysconfig
from functools import cache
from os.path import abspath, basename, dirname, join
from types import CodeType

STANDARD = tuple(
    {abspath(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib")} | {dirname(asyncio.__path__[0])}
)
ASYNCIO = (abspath(asyncio.__path__[0]),)
INSTALLED = tuple({abspath(sysconfig.get_path(name)) for name in ("purelib", "platlib")})
KITCHEN = dirname(dirname(abspath(__file__)))
FOREIGN = {"ipykernel", "zmq", "tornado", "jupyter_client", "jupyter_server", "comm"}  # a notebook's own affairs
OURS = dirname(abspath(__file__))  # the files that stand between a program and its loop while it is watched


def _is_within(filename, folders):
    return filename.startswith("<frozen ") or any(filename.startswith(join(folder, "")) for folder in folders)


@cache
def is_readers(filename: str) -> bool:
    """Whether a file is the reader's own: not the standard library's, not an installed package's, not ours."""
    if "site-packages" in filename or "dist-packages" in filename:
        return False
    return not _is_within(filename, (*STANDARD, *INSTALLED, KITCHEN))


@cache
def is_ours(filename: str) -> bool:
    """Whether a file is one of those that do the watching."""
    return dirname(filename) == OURS or dirname(abspath(filename)) == OURS


def is_aside(code: CodeType | None) -> bool:
    """Whether a task of this code, which is being made right now, is a library's affair: nobody else's code makes it."""
    if code is None or not is_librarys(code.co_filename):
        return False
    frame = sys._getframe(1)
    while frame is not None and (is_ours(frame.f_code.co_filename) or is_asyncios(frame.f_code.co_filename)):
        frame = frame.f_back  # type: ignore[assignment]
    return frame is None or is_librarys(frame.f_code.co_filename)


def serves() -> bool:
    """Whether what runs right now was called since somebody has connected, or has sent something."""
    frame = sys._getframe(1)
    while frame is not None and frame.f_code.co_name not in ("connection_made", "data_received"):
        frame = frame.f_back  # type: ignore[assignment]
    return frame is not None


@cache
def is_asyncios(filename: str) -> bool:
    """Whether a file is asyncio's own. That of a package with a folder of this name is not."""
    return _is_within(filename, ASYNCIO)


@cache
def is_librarys(filename: str) -> bool:
    """Whether a file is neither the reader's own nor ours."""
    return not is_readers(filename) and not _is_within(filename, (KITCHEN,))


def is_standard(filename: str) -> bool:
    """Whether a file is the standard library's."""
    return _is_within(filename, STANDARD)


def place_of(code: CodeType, line: int) -> str:
    """Where that is, as one says it."""
    return place(code.co_filename, line)


def place(file: str, line: int) -> str:
    """ "line 12" in a notebook's cell, "crawler.py, line 12" in a file."""
    name = basename(file)
    in_cell = "ipykernel_" in file or name.startswith(("<", "ipython-input"))
    return f"line {line}" if in_cell or not file else f"{name}, line {line}"
