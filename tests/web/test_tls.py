"""TLS, straight and through proxies, over plain connections and over TLS: the same in all three ways."""

import asyncio
import socket
import ssl
import struct
import threading
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from helpers.hostile import Hostile
from helpers.kinds import HOLD, KINDS, RESET, TIMED_OUT, page

from kitchen import fetch
from kitchen.web import route

CERTIFICATE = Path(__file__).parents[1] / "helpers" / "certificate.pem"
TRIED = [
    "length",
    "no length",
    "chunks",
    "gzip",
    "shorter than its length",
    "closed at once",
    "many headers",
    "sent on",
]


def cooperative(*args, **kwargs):
    return asyncio.run(fetch.cooperative(*args, **kwargs))


WAYS = [fetch.sync, fetch.threaded, cooperative]


@pytest.fixture(scope="module")
def context():
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATE)
    return context


@pytest.fixture(scope="module")
def site(context):
    with Hostile(KINDS, context) as site:
        yield site


@pytest.fixture
def environment(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", *route.TRUST):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return monkeypatch


@contextmanager
def tunnelling(port, tls=None):
    """A proxy that connects everybody to this port, whatever host they ask for; its own port, and what it was asked."""
    asked, sockets, threads = [], [], []

    def pump(source, target):
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)

    def serve(client):
        with suppress(OSError):
            client = tls.wrap_socket(client, server_side=True) if tls else client
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += client.recv(1)
            asked.append(head)
            if not head.startswith(b"CONNECT "):
                client.sendall(page(b"by the proxy"))
                client.shutdown(socket.SHUT_RDWR)
                return
            server = socket.create_connection(("127.0.0.1", port))
            sockets.append(server)
            client.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
            back = threading.Thread(target=pump, args=(server, client))
            back.start()
            pump(client, server)
            back.join()

    def accept():
        with suppress(OSError):
            while True:
                client, _ = listening.accept()
                sockets.append(client)
                threads.append(threading.Thread(target=serve, args=(client,)))
                threads[-1].start()

    listening = socket.create_server(("127.0.0.1", 0))
    accepting = threading.Thread(target=accept)
    accepting.start()
    try:
        yield listening.getsockname()[1], asked
    finally:
        with suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)  # wakes the one who accepts
        listening.close()
        accepting.join()
        for thread in threads:
            thread.join(10)
        for each in sockets:
            each.close()


def test_the_same_pages_come_over_tls(site, environment):
    environment.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    urls = [site.url(kind).replace("http://127.0.0.1", "https://localhost") for kind in TRIED]
    first, *others = [way(urls).results for way in WAYS]
    for results in others:
        assert results == first
    for kind, result in zip(TRIED[:-1], first, strict=False):
        assert (result.status, result.body) == (KINDS[kind].status, KINDS[kind].body)


@pytest.mark.parametrize("way", WAYS)
def test_whoever_is_not_trusted_is_not_asked(way, site, environment):
    site.asked.clear()
    [result] = way([site.url("length").replace("http:", "https:")]).results
    assert result.error.startswith("ConnectError: not trusted: ")
    assert site.asked == []


def test_whom_to_trust_is_read_anew_when_a_variable_changes(environment):
    environment.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    context = route.certificates()
    assert route.certificates() is context
    environment.delenv("SSL_CERT_FILE")
    environment.setenv("SSL_CERT_DIR", str(CERTIFICATE))  # the same value, of another
    assert route.certificates() is not context


@pytest.mark.parametrize("way", WAYS)
def test_a_certificate_is_for_a_host(way, site, environment):
    environment.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    original = socket.getaddrinfo
    environment.setattr(socket, "getaddrinfo", lambda host, *rest, **more: original("127.0.0.1", *rest, **more))
    [result] = way([f"https://another.test:{site.port}/length"]).results
    assert result.error.startswith("ConnectError: not trusted: ")


@pytest.mark.parametrize("over_tls", [False, True])
@pytest.mark.parametrize("way", WAYS)
def test_through_a_proxy_with_and_without_tls(way, over_tls, site, context, environment):
    environment.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    with tunnelling(site.port, context if over_tls else None) as (port, asked):
        environment.setenv("ALL_PROXY", f"{'https' if over_tls else 'http'}://cook:secret@localhost:{port}")
        tunnelled, plain = way([f"https://example.test:{site.port}/gzip", "http://example.test/"]).results
    assert (tunnelled.status, tunnelled.body) == (200, KINDS["gzip"].body), tunnelled.error
    assert plain.body == b"by the proxy", plain.error
    assert all(b"\r\nProxy-Authorization: Basic Y29vazpzZWNyZXQ=\r\n" in head for head in asked)
    assert b"Proxy-Authorization" not in site.asked[-1]


READ = "read"
HUNG_UP = "ConnectError: reset or closed: the site ended the connection before TLS was agreed on"
NO_TLS = "ConnectError: no TLS: what answers there does not speak it"
GREETINGS = {  # what a site does with the connection, and what is to come of it
    "closes": ([], HUNG_UP),
    "resets": ([RESET], HUNG_UP),
    "reads and closes": ([READ], HUNG_UP),
    "reads and resets": ([READ, RESET], HUNG_UP),
    "is silent": ([READ, HOLD], TIMED_OUT),
    "speaks HTTP": ([READ, page(status=b"400 Bad")], NO_TLS),
    "speaks first": ([b"220 ready\r\n", READ], NO_TLS),
    "sends zeros": ([READ, bytes(1000)], NO_TLS),
    "does not agree": (
        [READ, b"\x15\x03\x01\0\x02\x02\x28"],
        "ConnectError: no TLS: the site does not agree (handshake fa",
    ),
}


@contextmanager
def acting(acts):
    """A port at which everybody is treated so, one after the other."""

    def treat(client):
        with suppress(OSError), client:
            for act in acts:
                if act is RESET:
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                elif act is READ or act is HOLD:  # the second reading ends with the client
                    client.recv(65536)
                else:
                    client.sendall(act)

    def accept():
        with suppress(OSError):
            while True:
                treat(listening.accept()[0])

    with socket.create_server(("127.0.0.1", 0)) as listening:
        accepting = threading.Thread(target=accept)
        accepting.start()
        yield listening.getsockname()[1]
        with suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)  # wakes the one who accepts
    accepting.join()


@pytest.mark.parametrize("greeting", GREETINGS)
@pytest.mark.parametrize("way", WAYS)
def test_a_site_that_does_not_come_to_speak_tls(way, greeting, environment):
    acts, error = GREETINGS[greeting]
    with acting(acts) as port:
        results = way(
            [f"https://127.0.0.1:{port}/{number}" for number in range(3)], timeout=0.5 if HOLD in acts else 20
        ).results
    assert {result.error[: len(error)] for result in results} == {error}
