"""The way to a site: through which proxy, to which addresses, and whom to trust there. Here the environment has its say.

It has none in what becomes of a URL on this very computer: that needs no proxy, and over http no certificates. Where a
variable makes a URL impossible to fetch, the error names it.
"""

import base64
import errno
import ipaddress
import os
import socket
import ssl
import threading
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from functools import lru_cache
from typing import NamedTuple
from urllib.request import getproxies, proxy_bypass

from kitchen.web.library import httpx

TRUST = ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE")  # the variables that decide how TLS is spoken
PORTS = {"http": 80, "https": 443}


class Proxy(NamedTuple):
    """A proxy, and which variable named it."""

    url: httpx.URL
    variable: str

    def authorization(self) -> bytes:
        """The header that carries the user and the password in its URL, if there are any."""
        return b"Proxy-" + authorization(self.url) if self.url.userinfo else b""


class Proxies:
    """The proxies that the environment names, as it is when this is made: to read it takes most of a millisecond."""

    def __init__(self):
        self._found = getproxies()

    def choose(self, url: httpx.URL) -> Proxy | None:
        """The proxy to ask for this URL; None: the site itself. Raises httpx.ProxyError for one that cannot be used."""
        if not self._found or is_local(url.host):
            return None
        scheme = url.scheme if self._found.get(url.scheme) else "all"
        text = self._found.get(scheme)
        if not text or proxy_bypass(url.netloc.decode()) or _is_excepted(url.host, self._found.get("no", "")):
            return None
        variable = _variable(f"{scheme}_proxy")
        try:
            proxy = httpx.URL(text if "://" in text else f"http://{text}")
            port_of(proxy)
            usable = bool(proxy.host) and text.split() == [text]
        except (httpx.InvalidURL, ValueError):
            usable = False
        if not usable:
            raise httpx.ProxyError(f"{variable} is not the URL of a proxy, such as http://proxy.example:8080")
        if proxy.scheme not in PORTS:
            scheme = proxy.scheme[:20]
            raise httpx.ProxyError(
                f"{variable} names a proxy that speaks {scheme}: only http and https ones can be used"
            )
        return Proxy(proxy, variable)


def is_local(host: str) -> bool:
    """Whether this is a name or an address of this very computer, in whichever way it is written: 127.1 is one as well."""
    host = host.rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        try:
            address = ipaddress.ip_address(socket.inet_aton(host))
        except (OSError, ValueError):
            return False
    address = getattr(address, "ipv4_mapped", None) or address
    return address.is_loopback or address.is_unspecified


def port_of(url: httpx.URL) -> int:
    """Raises httpx.InvalidURL for a port that there cannot be."""
    port = PORTS.get(url.scheme) if url.port is None else url.port
    if port is not None and not 0 < port < 65536:
        raise httpx.InvalidURL("there is no such port: ports go from 1 to 65535")
    return port or 0


def authorization(url: httpx.URL) -> bytes:
    """The header that carries the user and the password in a URL, if there are any (RFC 7617)."""
    if not url.userinfo:
        return b""
    return b"Authorization: Basic " + base64.b64encode(f"{url.username}:{url.password}".encode()) + b"\r\n"


def certificates() -> ssl.SSLContext:
    """Whom to trust, as the environment is now. Reading it takes some 50 ms: once for each state of these variables.

    Raises httpx.ConnectError, with the variable's name, for what cannot be read.
    """
    set_ones = {name: os.environ[name] for name in TRUST if os.environ.get(name)}
    try:
        return _certificates(tuple(set_ones.items()))
    except (OSError, ValueError):  # ssl.SSLError is an OSError
        culprits = " or ".join(set_ones) or "its installation"
        raise httpx.ConnectError(f"TLS cannot be set up: what {culprits} names cannot be read or written") from None


@lru_cache(maxsize=4)
def _certificates(variables) -> ssl.SSLContext:
    return httpx.create_ssl_context()


class Names:
    """Looks up the addresses of names, each in a thread of its own: nobody can bound how long the system takes for it.

    Whoever asks for a name that is being looked up, or was, waits for the same answer. A thread whose answer nobody waits
    for any more is left to itself; it ends when the system answers.
    """

    def __init__(self):
        self._asked: dict[tuple[str, int], Future] = {}
        self._lock = threading.Lock()

    def look_up(self, host: str, port: int) -> Future:
        """What socket.getaddrinfo says, when it has said it; this future cannot be cancelled."""
        with self._lock:
            known = self._asked.get((host, port))
            if known is None or (known.done() and known.exception()):
                known = self._asked[host, port] = Future()
                known.set_running_or_notify_cancel()
                thread = threading.Thread(
                    target=_look_up, args=(known, host, port), name=f"look up {host}", daemon=True
                )
                try:
                    thread.start()
                except RuntimeError as error:  # there are too many already
                    known.set_exception(OSError(errno.EAGAIN, str(error)))
            return known

    def give_up(self) -> None:
        """Nobody waits for an answer any more."""
        with self._lock:
            for future in self._asked.values():
                _tell(future.set_exception, InterruptedError())


@lru_cache  # all URLs of a site have one host
def addresses(host: str, port: int) -> list[tuple[int, tuple]] | None:
    """The family and address of a host that is an address already; None: it is a name, which has to be looked up."""
    for family, address in (socket.AF_INET, (host, port)), (socket.AF_INET6, (host, port, 0, 0)):
        with suppress(OSError):
            socket.inet_pton(family, host)
            return [(family, address)]
    return None


def _look_up(future, host, port):
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except Exception as error:
        _tell(future.set_exception, error)
    else:
        _tell(future.set_result, list(dict.fromkeys((family, address) for family, _, _, _, address in found)))


def _tell(how, what):
    with suppress(InvalidStateError):  # nobody waits any more
        how(what)


def _variable(name):
    named = [variable for variable in os.environ if variable.lower() == name and os.environ[variable]]
    return f"the environment variable {min(named, key=str.isupper)}" if named else "the system's setting"


def _is_excepted(host, no_proxy):
    """Whether NO_PROXY has a network that this address is in, such as 10.0.0.0/8: urllib does not know these."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    for entry in no_proxy.split(","):
        try:
            if address in ipaddress.ip_network(entry.strip().strip("[]"), strict=False):
                return True
        except (ValueError, TypeError):
            continue
    return False
