"""One request and its answer over a line of its own: httpx's parser, h11, between the bytes of either engine."""

from contextlib import suppress

import h11

from kitchen.web.decoding import ACCEPTED
from kitchen.web.library import httpx
from kitchen.web.line import Line
from kitchen.web.reasons import CUT, NO_ANSWER, NO_HTTP, unreached
from kitchen.web.route import Proxy, addresses, certificates, port_of
from kitchen.web.tls import Tls

CONNECTING = "connecting"
SENDING = "sending"
ANSWER = "waiting for the answer"
READING = "reading"

ASKED = h11.Request(method="GET", target="/", headers=[("Host", "")])
NOT_CONNECTED = (OSError, UnicodeError, OverflowError)  # what connecting may raise
MOST_HEAD_BYTES = 100 * 1024  # of an answer's head, as in httpx
ALWAYS = (  # as httpx says it, but that the next URL has a connection of its own
    b"Accept: */*\r\n"
    b"Accept-Encoding: " + ACCEPTED + b"\r\n"
    b"Connection: close\r\n"
    b"User-Agent: " + f"python-{httpx.__name__}/{httpx.__version__}".encode() + b"\r\n"
)


class Exchange:
    """A GET of `url` and the answer to it. Raises httpx's errors, with the reason in words, and TimeoutError."""

    def __init__(self, line: Line, url: httpx.URL, proxy: Proxy | None = None):
        self._line = line
        self._wire = line  # or TLS over it
        self._url, self._proxy = url, proxy
        self._http: h11.Connection | None = None  # what reads the answer, once that comes

    async def ask(self, headers: bytes) -> h11.Response:
        """Connects, asks with these further headers, and returns the head of the answer."""
        self._line.phase(CONNECTING)
        target = self._url.raw_path
        if self._proxy is None:
            await self._reach(self._url)
        else:
            await self._reach(self._proxy.url)
            if self._url.scheme == "http":
                target = b"http://" + self._url.netloc + target
                headers = headers + self._proxy.authorization()
            else:
                await self._tunnel()
        if self._url.scheme == "https":
            await self._encrypt(self._url)
        self._line.phase(SENDING)
        host = b" HTTP/1.1\r\nHost: " + self._url.netloc + b"\r\n"
        await self._send(b"GET " + target + host + ALWAYS + headers + b"\r\n")
        self._line.phase(ANSWER)
        answer = await self._head()
        self._line.phase(READING)
        return answer

    async def piece(self) -> bytes | None:
        """More of the body, as it came; None: that was all."""
        event = await self._event()
        return bytes(event.data) if type(event) is h11.Data else None

    async def _reach(self, url):
        """Connects to the first of the addresses that answers; each has an equal share of the time that is left."""
        host, port = url.raw_host.decode("ascii"), port_of(url)
        try:
            found = addresses(host, port) or await self._line.look_up(host, port)
            for left in range(len(found), 0, -1):
                family, address = found[-left]
                try:
                    await self._line.connect(family, address, share=left)
                    break
                except OSError:  # a TimeoutError is one
                    self._line.close()
                    if left == 1:
                        raise
        except TimeoutError:
            raise
        except NOT_CONNECTED as problem:
            raise self._unreached(url, problem) from problem
        if url.scheme == "https" and url is not self._url:
            await self._encrypt(url)

    async def _encrypt(self, url):
        context = certificates()
        try:
            self._wire = Tls(self._wire, context, url.raw_host.decode("ascii"))
            await self._wire.shake_hands()
        except TimeoutError:
            raise
        except NOT_CONNECTED as problem:
            raise self._unreached(url, problem) from problem

    async def _tunnel(self):
        """Has the proxy connect us to the site: what is said from then on is for the site."""
        port = port_of(self._url)
        site = b"%b:%d" % (self._url.netloc.rpartition(b":")[0] if self._url.port else self._url.netloc, port)
        request = b"CONNECT " + site + b" HTTP/1.1\r\nHost: " + site + b"\r\n"
        try:
            await self._send(request + self._proxy.authorization() + b"\r\n")
            answer = await self._head()
        except TimeoutError:
            raise
        except (httpx.TransportError, h11.RemoteProtocolError, OSError) as problem:
            words = f"the proxy that {self._proxy.variable} names does not answer as a proxy does"
            raise httpx.ProxyError(words) from problem
        if not 200 <= answer.status_code < 300:
            raise httpx.ProxyError(f"refused: the proxy that {self._proxy.variable} names does not let us through")

    def _unreached(self, url, problem):
        """What went wrong on the way to this URL, the site's or the proxy's, said in words."""
        words = unreached(problem)
        if self._proxy is not None and url is self._proxy.url:
            return httpx.ProxyError(f"{words} (the proxy that {self._proxy.variable} names)")
        return httpx.ConnectError(words)

    async def _send(self, data):
        with suppress(ConnectionError):  # whoever hangs up this early may have said why
            await self._wire.send(data)

    async def _head(self):
        self._http = None
        first = await self._received()
        self._http = _reader()  # not before: a thousand who wait need none
        self._http.receive_data(first)
        while type(event := await self._event()) is h11.InformationalResponse:
            pass
        return event

    async def _event(self):
        await self._line.breathe()
        while (event := self._http.next_event()) is h11.NEED_DATA:
            self._http.receive_data(await self._received())
        return event

    async def _received(self):
        """What comes next. When that is nothing, and the head is not yet whole, it is for us to say what is amiss."""
        if self._http and self._http.their_state is not h11.SEND_RESPONSE:
            return await self._wire.receive()
        problem = None
        try:
            if data := await self._wire.receive():
                return data
        except ConnectionError as broken:
            problem = broken
        came = self._http.trailing_data[0] if self._http else b""
        if not came:  # whether a site that does not listen closes or resets is chance
            raise httpx.ReadError(NO_ANSWER)
        if problem:
            raise problem
        raise httpx.RemoteProtocolError(CUT if came.startswith(b"HTTP/") else NO_HTTP)


def _reader():
    """What reads an answer. It needs to know of the request only that there was one: what to write, httpx.URL says."""
    reader = h11.Connection(h11.CLIENT, max_incomplete_event_size=MOST_HEAD_BYTES)
    reader.send(ASKED)
    return reader
