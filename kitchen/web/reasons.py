"""Why a URL could not be had, in words: the same ones whichever engine met with the trouble.

First the kind, which is the name of httpx's error, then what happened. One short line, without a number that might be
taken for a status of the site's.
"""

import errno
import re
import socket
import ssl

import h11

from kitchen.timeline.words import printable
from kitchen.web.library import httpx

MOST_LETTERS = 200
INTERRUPTED = "interrupted before it was finished"
NO_HTTP = "answered with something that is no HTTP"
CUT = "cut short: the site ended the connection in the middle of its answer"
TOO_LONG = "answered with something that is no HTTP, or with far too many headers"
RESET = "reset: the site broke the connection off"
HUNG_UP = "reset or closed: the site ended the connection before TLS was agreed on"
NO_ANSWER = "reset or closed: the site ended the connection without an answer"
ERRNO = {
    errno.EMFILE: "too many open files: fetch fewer URLs at once",
    errno.ENFILE: "too many open files: fetch fewer URLs at once",
    errno.EAGAIN: "too many threads that look up names: fetch fewer URLs at once",
    errno.ENETUNREACH: "unreachable: there is no way to this address",
    errno.EHOSTUNREACH: "unreachable: there is no way to this address",
    errno.EADDRNOTAVAIL: "unreachable: there is no way to this address, or no port is free for it",
    errno.EINVAL: "unreachable: there is no way to this address",
    errno.EAFNOSUPPORT: "unreachable: this computer has no such addresses",
    errno.EACCES: "not allowed: this computer does not let us connect there",
    errno.EPERM: "not allowed: this computer does not let us connect there",
}


_AT = re.compile(r" at position \d+\.?$")  # httpx counts letters; the number might be taken for a status


def reason(error: Exception, timeout: float) -> str:
    """Why there is no page. `timeout`: the seconds that there were for it."""
    if isinstance(error, TimeoutError):
        return f"timed out: not done within {timeout:g} s"
    if isinstance(error, h11.RemoteProtocolError):
        error = httpx.RemoteProtocolError(_not_spoken(str(error)))
    elif isinstance(error, OSError):
        error = httpx.ReadError(_broken_off(error))
    elif isinstance(error, TypeError):
        error = httpx.InvalidURL("a URL is a text")
    elif isinstance(error, UnicodeError):
        error = httpx.InvalidURL("there are letters in it that no URL can have")
    elif isinstance(error, ValueError):  # a length of more digits than Python reads
        error = httpx.RemoteProtocolError(NO_HTTP)
    words = " ".join(printable(_AT.sub("", str(error))).split()) or "no reason is known"
    line = f"{type(error).__name__}: {words}"
    return line if len(line) <= MOST_LETTERS else line[: MOST_LETTERS - 1] + "…"


def unreached(problem: OSError | ValueError | OverflowError) -> str:
    """Why no connection came about."""
    if isinstance(problem, socket.gaierror) and problem.errno == socket.EAI_AGAIN:
        return "no such name, or nobody who knows it: there is no answer to who this host is; is there a network?"
    if isinstance(problem, (socket.gaierror, UnicodeError)):
        return "no such name: there is no address for this host"
    if isinstance(problem, ConnectionRefusedError):
        return "refused: nobody listens there"
    if isinstance(problem, ssl.SSLCertVerificationError):
        return f"not trusted: {problem.verify_message or 'the certificate is not the right one'}"
    if isinstance(problem, (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        return HUNG_UP  # which of them it seems to be is chance
    if isinstance(problem, ssl.SSLError):
        return _alert(problem) or "no TLS: what answers there does not speak it, or not as we do"
    return ERRNO.get(getattr(problem, "errno", None)) or _broken_off(problem)


def _broken_off(problem):
    if isinstance(problem, ConnectionError):
        return RESET
    if isinstance(problem, ssl.SSLError):
        return _alert(problem) or "no TLS: what came is not encrypted as agreed"
    return getattr(problem, "strerror", None) or type(problem).__name__


def _alert(problem):
    """What the other side says that it does not like; nothing, if it has not said so."""
    dislike = (problem.reason or "").partition("ALERT_")[2].lower().replace("_", " ")
    return dislike and f"no TLS: the site does not agree ({dislike})"


def _not_spoken(words):
    """What is amiss in the words of h11."""
    if "closed" in words:
        return CUT
    return TOO_LONG if "too long" in words else NO_HTTP
