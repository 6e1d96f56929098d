"""Proxies, names and certificates: the environment is obeyed alike in all three ways, and never on this computer."""

import asyncio
import socket
import sys
import threading
import time

import pytest
from helpers.hostile import Hostile
from helpers.kinds import HOLD, RESET, TIMED_OUT, Kind, page

from kitchen import fetch
from kitchen.web import route
from kitchen.web.library import httpx


def cooperative(*args, **kwargs):
    return asyncio.run(fetch.cooperative(*args, **kwargs))


@pytest.fixture(params=[fetch.sync, fetch.threaded, cooperative], ids=["sync", "threaded", "cooperative"])
def way(request):
    return request.param


@pytest.fixture
def environment(monkeypatch):
    """Sets variables, where none of those that matter is set before."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", *route.TRUST):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)

    def put(**variables):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return put


@pytest.fixture(scope="module")
def site():
    with Hostile() as site:
        yield site


@pytest.mark.parametrize(
    "variables",
    [
        {"ALL_PROXY": "socks5://127.0.0.1:9"},
        {"HTTP_PROXY": "not a URL at all"},
        {"http_proxy": "http://[::1"},
        {"HTTP_PROXY": "http://127.0.0.1:9", "NO_PROXY": "localhost,[::1]"},
        {"HTTP_PROXY": "http://127.0.0.1:9", "NO_PROXY": "fe80::/10, *.example, ::1, 10.0.0.0/8,,"},
        {"SSL_CERT_FILE": "/nowhere/at/all"},
        {"SSL_CERT_DIR": "/nowhere/at/all"},
        {"SSLKEYLOGFILE": "/nowhere/at/all"},
    ],
)
def test_this_computer_needs_none_of_it(way, site, environment, variables):
    environment(**variables)
    urls = [site.url("length"), site.url("length").replace("127.0.0.1", "localhost")]
    assert [result.body for result in way(urls).results] == [b"good", b"good"]


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("ALL_PROXY", "socks5://127.0.0.1:9", "names a proxy that speaks socks5"),
        ("all_proxy", "socks4a://127.0.0.1:9", "names a proxy that speaks socks4a"),
        ("ALL_PROXY", "socks4://proxy.test", "names a proxy that speaks socks4"),
        ("HTTP_PROXY", "direct://", "is not the URL of a proxy"),
        ("HTTP_PROXY", "   ", "is not the URL of a proxy"),
        ("HTTP_PROXY", "http://" + "a" * 70_000, "is not the URL of a proxy"),
        ("HTTP_PROXY", "not a URL at all", "is not the URL of a proxy"),
        ("http_proxy", "http://[::1", "is not the URL of a proxy"),
        ("HTTP_PROXY", "http://127.0.0.1:99999", "is not the URL of a proxy"),
        ("HTTP_PROXY", "http://127.0.0.1:REFUSING", "refused"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_named(way, site, environment, name, value, says):
    environment(**{name: value.replace("REFUSING", str(site.refusing))})
    [result] = way(["http://example.test/"]).results
    assert result.error.startswith("ProxyError: ")
    assert says in result.error
    assert f"the environment variable {name}" in result.error


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "SSLKEYLOGFILE"])
def test_certificates_that_cannot_be_read_are_named(way, site, environment, name):
    if name == "SSLKEYLOGFILE" and httpx.__name__ == "httpx2":
        pytest.skip("httpx2 writes no such file")
    environment(**{name: "/nowhere/at/all"})
    [result, good] = way([site.url("length").replace("http:", "https:"), site.url("length")]).results
    assert result.error.startswith("ConnectError: ")
    assert name in result.error
    assert good.body == b"good"


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("scheme", ["", "http://", "http://cook:pa%20ss@"])
def test_a_proxy_is_asked_for_what_is_elsewhere(way, site, environment, name, scheme):
    environment(**{name: f"{scheme}127.0.0.1:{site.port}"})
    site.asked.clear()
    [result] = way(["http://example.test/a%2Fb?c#d"]).results
    assert result.status == 404  # the site knows no such page; but it was the one who was asked
    [head] = site.asked
    assert head.startswith(b"GET http://example.test/a%2Fb?c HTTP/1.1\r\nHost: example.test\r\n")
    assert (b"Proxy-Authorization: Basic Y29vazpwYSBzcw==" in head) == ("cook" in scheme)


@pytest.mark.parametrize(
    ("entry", "url", "direct"),
    [
        ("example.test", "http://example.test/", True),
        (".example.test", "http://www.example.test/", True),
        ("example.test", "http://www.example.test/", True),
        ("example.test", "http://badexample.test/", False),
        ("other.test, example.test", "http://example.test/", True),
        ("example.test:80", "http://example.test:80/", False),  # a port that goes without saying is not compared
        ("example.test:81", "http://example.test:81/", True),
        ("*", "http://example.test/", True),
        ("10.0.0.0/8", "http://10.1.2.3/", True),
        ("10.0.0.0/8", "http://11.1.2.3/", False),
        ("fe80::/10", "http://[fe80::1]/", True),
        ("[2001:db8::1]", "http://[2001:db8::1]/", True),
        ("nonsense/of/a/net, ,", "http://10.1.2.3/", False),
    ],
)
def test_no_proxy_in_all_its_forms(environment, entry, url, direct):
    environment(http_proxy="http://proxy.test:3128", no_proxy=entry)
    assert (route.Proxies().choose(httpx.URL(url)) is None) == direct


HERE = [
    "localhost",
    "localhost.",
    "me.localhost",
    "127.0.0.1",
    "127.9.9.9",
    "127.1",
    "0x7f.1",
    "2130706433",
    "0",
    "::1",
]


@pytest.mark.parametrize("host", [*HERE, "0.0.0.0", "::", "::ffff:127.0.0.1"])
def test_this_computer_has_many_names(host):
    assert route.is_local(host)


@pytest.mark.parametrize(
    "host", ["local", "localhost.test", "128.0.0.1", "10.0.0.1", "::2", "::ffff:10.0.0.1", "größe.test"]
)
def test_others_are_not_this_computer(host):
    assert not route.is_local(host)


REFUSED = "ProxyError: refused: the proxy that the environment variable HTTPS_PROXY names does not let us through"
STRANGE = "ProxyError: the proxy that the environment variable HTTPS_PROXY names does not answer as a proxy does"
TUNNELS = {  # what a proxy says to whoever wants to be connected to a site, and what is to come of it
    "407": ([page(status=b"407 Who")], REFUSED),
    "403": ([page(status=b"403 No")], REFUSED),
    "302": ([page(b"", b"Location: http://127.0.0.1:1/", status=b"302 On")], REFUSED),
    "garbage": ([b"?!" * 40 + b"\r\n\r\n"], STRANGE),
    "half a head": ([b"HTTP/1.1 200 O"], STRANGE),
    "an endless head": ([b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 50_000], STRANGE),
    "closed": ([], STRANGE),
    "reset": ([RESET], STRANGE),
    "101": ([b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n"], STRANGE),
    "silent": ([HOLD], TIMED_OUT),
    "a drip": ([0.1, b"H"] * 20, TIMED_OUT),
    "open, and closed": (
        [b"HTTP/1.1 100 Soon\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"],
        "ConnectError: reset or closed: the site",
    ),
}


@pytest.mark.parametrize("tunnel", TUNNELS)
def test_a_tunnel_that_does_not_come_about_is_the_proxys_fault(way, environment, tunnel):
    acts, error = TUNNELS[tunnel]
    with Hostile({"example.test:443": Kind(acts, None)}) as proxy:
        environment(HTTPS_PROXY=f"http://127.0.0.1:{proxy.port}")
        [result] = way(["https://example.test/"], timeout=0.5 if error is TIMED_OUT else 20).results
    assert result.error[: len(error)] == error
    asked = [b"CONNECT example.test:443 HTTP/1.1", b"Host: example.test:443"]
    assert error is TIMED_OUT or [head.split(b"\r\n")[:2] for head in proxy.asked] == [asked]


def test_a_password_is_never_sent_unasked(way, site, environment, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login cook password secret\ndefault login cook password secret\n")
    netrc.chmod(0o600)
    environment(NETRC=str(netrc))
    site.asked.clear()
    way([site.url("length")])
    assert b"authorization" not in site.asked[0].lower()


# Names


@pytest.fixture
def names(monkeypatch, site):
    """Names that the test's own book knows: after how many seconds it answers, and with which hosts."""
    book = {}
    over = threading.Event()
    original = socket.getaddrinfo

    def look_up(host, port, *args, **kwargs):
        if host not in book:
            return original(host, port, *args, **kwargs)
        seconds, hosts = book[host]
        over.wait(seconds)
        if not hosts:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [entry for host in hosts for entry in original(host, port, *args, **kwargs)]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    yield book
    over.set()


@pytest.mark.long
def test_slow_names_are_bounded_and_starve_nobody(way, site, names):
    names.update({f"slow{number}.test": (20, ["127.0.0.1"]) for number in range(40)})
    names["good.test"] = (0, ["127.0.0.1"])
    slow = [f"http://slow{number}.test:{site.port}/length" for number in range(40 if way is not fetch.sync else 1)]
    urls = [*slow, f"http://good.test:{site.port}/length"]
    began = time.monotonic()
    results = way(urls, timeout=2).results
    assert time.monotonic() - began < 15  # leaving does not wait for the names
    assert {result.error for result in results[:-1]} == {"timed out: not done within 2 s"}
    assert results[-1].body == b"good"


def test_a_name_that_nobody_knows(way, names):
    names["nobody.test"] = (0, [])
    [result] = way(["http://nobody.test/"]).results
    assert result.error == "ConnectError: no such name: there is no address for this host"


def test_a_name_is_looked_up_once_for_all_who_ask(way, site, names, monkeypatch):
    asked = []
    names["good.test"] = (0.05, ["127.0.0.1"])
    look_up = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: asked.append(args) or look_up(*args, **kwargs))
    results = way([f"http://good.test:{site.port}/length"] * 5).results
    assert [result.body for result in results] == [b"good"] * 5
    assert len(asked) == 1


@pytest.fixture
def dead():
    """A port where nobody answers, not even with a refusal: its queue is full."""
    with socket.socket() as full:
        full.bind(("127.0.0.2", 0))
        full.listen(0)
        guests = []
        for _ in range(3):
            guest = socket.socket()
            guest.setblocking(False)
            guest.connect_ex(full.getsockname())
            guests.append(guest)
        yield full.getsockname()[1]
        for guest in guests:
            guest.close()


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="has 127.0.0.2, and a full queue is silent")
def test_dead_addresses_share_the_time_of_one_url(way, names, dead):
    names["dead.test"] = (0, ["127.0.0.2"] * 3)
    [result] = way([f"http://dead.test:{dead}/"], timeout=1).results
    assert result.error == "timed out: not done within 1 s"


@pytest.mark.skipif(sys.platform != "linux", reason="has 127.0.0.2")
def test_the_address_that_answers_is_found_behind_those_that_do_not(way, site, names):
    names["some.test"] = (0, ["127.0.0.2", "127.0.0.3", "127.0.0.1"])
    [result] = way([f"http://some.test:{site.port}/length"]).results
    assert result.body == b"good"


def test_a_password_is_not_handed_on_to_another_host(way, site):
    site.asked.clear()
    on = Kind([page(b"", b"Location: http://localhost:%d/length" % site.port, status=b"302 On")], None)
    with Hostile({"away": on}) as first:
        [result] = way([f"http://cook:secret@127.0.0.1:{first.port}/away"]).results
    assert result.body == b"good"
    assert b"Authorization: Basic" in first.asked[0]
    assert b"Authorization" not in site.asked[0]
