"""What becomes of one URL: redirects, a further try where the site asks for it, unpacking, and a bound on the size.

Both engines run this very code, so that the three ways of `fetch` cannot differ in what they find. Nothing here outlives
the URL: its cookies, its password and its connections are its own.
"""

import random
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from io import BytesIO

from kitchen.web.decoding import Decoder
from kitchen.web.exchange import Exchange
from kitchen.web.library import httpx
from kitchen.web.line import Line
from kitchen.web.route import PORTS, Proxies, authorization, port_of

PAUSING = "pausing before the next try"
TRY_AGAIN = (429, 503)  # too many requests, not now: the two answers that ask for another try (RFC 6585, RFC 9110)
FIRST_PAUSE = 0.5  # seconds before the second try, where the answer does not say how long; twice that before the third
MOST_REDIRECTS = 20  # as in httpx
BYTE_BY_BYTE = "latin-1"  # whatever the letters of a cookie mean, they go back as they came
REDIRECTS = (301, 302, 303, 307, 308)


class Page:
    """The page of one URL, as far as it has come: `status`, and `body` unpacked, at most `max_bytes` of it."""

    def __init__(self, url: str, max_bytes: int, retries: int, proxies: Proxies):
        self.status: int | None = None
        self._url = url
        self._max_bytes, self._retries, self._proxies = max_bytes, retries, proxies
        self._body = BytesIO()  # grows without a second copy, and hands itself over without one
        self._cookies: httpx.Cookies | None = None

    @property
    def body(self) -> bytes:
        return self._body.getvalue()

    async def load(self, line: Line) -> None:
        """Fetches the page over `line`. Raises httpx's errors, OSError or h11.RemoteProtocolError where there is none."""
        tried = 0
        while (pause := await self._try(line, tried)) is not None:
            line.phase(PAUSING)
            await line.pause(pause)
            tried += 1

    async def _try(self, line, tried):
        """Seconds until the next try is due; None: there is none."""
        url = checked(self._url)
        secret = authorization(url)
        for _ in range(MOST_REDIRECTS + 1):
            exchange = Exchange(line, url, self._proxies.choose(url))
            try:
                answer = await exchange.ask(secret + self._cookies_for(url))
                self.status = answer.status_code
                if self.status not in REDIRECTS and self.status not in TRY_AGAIN:
                    return await self._read(exchange, line, answer)
                slow = httpx.Response(self.status, headers=answer.headers, request=httpx.Request("GET", url))
                if slow.has_redirect_location:
                    target = _redirected(url, slow.headers["Location"])
                    if not _may_know(url, target):
                        secret = b""
                elif (pause := self._pause(slow, tried, line.left())) is not None:
                    target = None
                else:
                    return await self._read(exchange, line, answer)
                self._keep_cookies(slow)
            finally:
                line.close()
            if target is None:
                return pause
            url = target
        raise httpx.TooManyRedirects(f"sent on to another address more than {MOST_REDIRECTS} times")

    async def _read(self, exchange, line, answer):
        encodings = b",".join(value for name, value in answer.headers if name == b"content-encoding")
        decoder = Decoder(encodings.decode("latin-1"))
        while (data := await exchange.piece()) is not None:
            for piece in decoder.pieces(data):
                self.keep(piece)
                await line.breathe()
        decoder.end()

    def keep(self, piece: bytes) -> None:
        """More of the page has come. Raises httpx.ReadError when that is more than it may have."""
        room = self._max_bytes - self._body.tell()
        if len(piece) > room:
            self._body.write(piece[:room])
            raise httpx.ReadError(f"too large: more than {self._max_bytes} bytes; the rest was not read")
        self._body.write(piece)

    def _pause(self, answer, tried, left):
        """Seconds until a URL with this answer is asked for again; None: it is not, or there is no time left for it."""
        if tried >= self._retries:
            return None
        pause = retry_after(answer.headers.get("Retry-After", ""))
        if pause is None:
            pause = FIRST_PAUSE * 2**tried * random.uniform(0.5, 1)  # by chance, lest all come back at the same moment
        return pause if pause < left else None

    def _keep_cookies(self, answer):
        if "Set-Cookie" in answer.headers:
            answer.headers.encoding = BYTE_BY_BYTE
            self._cookies = self._cookies or httpx.Cookies()
            self._cookies.extract_cookies(answer)

    def _cookies_for(self, url):
        if not self._cookies:
            return b""
        request = httpx.Request("GET", url)
        request.headers.encoding = BYTE_BY_BYTE
        self._cookies.set_cookie_header(request)
        return b"".join(
            b"Cookie: " + value + b"\r\n" for name, value in request.headers.raw if name.lower() == b"cookie"
        )


def checked(url: str | httpx.URL) -> httpx.URL:
    """The URL as httpx reads it. Raises what httpx raises for nonsense, also for what is no web address."""
    read = httpx.URL(url)
    if read.scheme not in PORTS or not read.host:
        raise httpx.UnsupportedProtocol("a URL that can be fetched begins with http:// or https:// and a host")
    port_of(read)
    return read


def retry_after(header: str) -> float | None:
    """How many seconds an answer's Retry-After asks for: that is a number of them, or a date (RFC 9110, 10.2.3)."""
    if header.strip().isdecimal():
        return float(header)
    try:
        return max(0.0, (parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError, OverflowError):
        return None


def _redirected(url, location):
    """Where a Location leads from this URL, by the same rules as in httpx."""
    try:
        target = httpx.URL(location)
        if target.scheme and target.scheme not in PORTS:
            raise httpx.UnsupportedProtocol("the site sends us on to what is no web address")
        if target.scheme and not target.host:  # "http:///path": what is missing is as it was
            target = target.copy_with(host=url.host)
        return checked(url.join(target))
    except (httpx.InvalidURL, ValueError):
        raise httpx.RemoteProtocolError("the site sends us on to what is no URL") from None


def _may_know(url, target):
    """Whether a password for this URL may be told where it leads: only to the same site, or that over TLS, as in httpx."""
    if target.host != url.host:
        return False
    same = target.scheme == url.scheme and port_of(target) == port_of(url)
    return same or (url.scheme, port_of(url), target.scheme, port_of(target)) == ("http", 80, "https", 443)
