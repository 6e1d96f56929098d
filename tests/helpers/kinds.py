"""What sites do that they should not, in more ways than a lesson needs: `KINDS`, by name.

A kind is a list of what the site does with a connection once it has been asked: bytes are sent, a number is waited for in
seconds, RESET breaks the connection off, HOLD keeps it open and silent. When the list is over the site hangs up.
"""

import gzip
import zlib
from typing import NamedTuple

RESET, HOLD = "reset", "hold"
TIMED_OUT = "timed out"
WORDS = b"A page that is long enough to be packed, and to be cut in two. " * 40


class Kind(NamedTuple):
    """What a site does, and what is to come of it: a status with the body (None: any), or the beginning of an error."""

    does: list
    status: int | None
    body: bytes | None = None
    error: str = ""


def page(body=b"good", *headers, status=b"200 OK", length=True):
    lines = [b"HTTP/1.1 " + status, *headers]
    if length:
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def chunked(*chunks, end=b"0\r\n\r\n", headers=()):
    head = page(b"", b"Transfer-Encoding: chunked", *headers, length=False)
    return head + b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + end


def packed(body, encoding=b"gzip"):
    return page(body, b"Content-Encoding: " + encoding)


def raw_deflate(data):
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


def five_times(packed):
    for _ in range(4):
        packed = gzip.compress(packed, mtime=0)
    return packed


def good(*does, body=b"good", status=200):
    return Kind(list(does), status, body)


def bad(error, *does, body=b""):
    return Kind(list(does), None, body, error)


ZIPPED = gzip.compress(WORDS, mtime=0)
BOMB = zlib.compressobj(9, wbits=31)
BOMB = BOMB.compress(bytes(50_000_000)) + BOMB.flush()
NO_HTTP = "RemoteProtocolError: answered with something that is no HTTP"
CUT = "RemoteProtocolError: cut short"
TOO_LONG = "RemoteProtocolError: answered with something that is no HTTP, or with far too many headers"
RESET_ERROR = "ReadError: reset:"
NO_ANSWER = "ReadError: reset or closed"
UNPACKABLE = "DecodingError: the page cannot be unpacked"
SENT_ON = b"302 Found"


def to(location, *headers, status=SENT_ON):
    return page(b"sent on", b"Location: " + location, *headers, status=status)


def baked(*cookies):
    return to(b"/cookies", *[b"Set-Cookie: " + cookie for cookie in cookies])


def framed(*headers, body=b"good"):
    return page(body, *headers, length=False)


KINDS = {
    # how an answer ends
    "length": good(page()),
    "no length": good(page(length=False) + b""),
    "length, in two pieces": good(page()[:-2], 0.05, page()[-2:]),
    "byte by byte": good(*[bytes([byte]) for byte in page()]),
    "more than the length": good(page() + b"and more, which is nobody's"),
    "another answer behind it": good(page() + page(b"not for you")),
    "another answer a moment later": good(page(), 0.03, page(b"not for you")),
    "an answer before it was asked and one after": good(page(b"first") + page(b"second"), body=b"first"),
    "empty": good(page(b""), body=b""),
    "shorter than its length": bad(CUT, page()[:-2], body=b"go"),
    "reset in the page": bad(RESET_ERROR, page()[:-2], 0.05, RESET, body=b"go"),
    "reset in a page without a length": bad(RESET_ERROR, page(b"half", length=False), 0.05, RESET, body=b"half"),
    "reset in the head": bad(RESET_ERROR, b"HTTP/1.1 200 OK\r\nContent-", 0.05, RESET),
    "reset at once": bad(NO_ANSWER, RESET),
    "closed at once": bad(NO_ANSWER),
    "closed in the status line": bad(CUT, b"HTTP/1.1 20"),
    "closed in the head": bad(CUT, b"HTTP/1.1 200 OK\r\nContent-Le"),
    "silent": bad(TIMED_OUT, HOLD),
    "a slow head": bad(TIMED_OUT, b"HTTP/1.1 200 OK\r\n", *[0.1, b"X: y\r\n"] * 40),
    "a drip": bad(TIMED_OUT, page(b"", length=False), *[0.1, b"."] * 40, body=None),
    "a drip after a pause": bad(TIMED_OUT, 0.6, page(b"", length=False), *[0.1, b"."] * 40, body=None),
    "a page that stops": bad(TIMED_OUT, page()[:-2], HOLD, body=b"go"),
    "kept open after the page": good(page(), HOLD),
    # chunks
    "chunks": good(chunked(b"go", b"od")),
    "chunks with extensions": good(chunked(end=b"4;name=value\r\ngood\r\n0;last\r\n\r\n")),
    "chunks with trailers": good(chunked(b"good", end=b"0\r\nX-Trailer: yes\r\n\r\n")),
    "chunks with leading zeros": good(chunked(end=b"0004\r\ngood\r\n00\r\n\r\n")),
    "many small chunks": good(chunked(*[b"x"] * 3_000), body=b"x" * 3_000),
    "chunks without an end": bad(CUT, chunked(b"good", end=b""), body=b"good"),
    "chunks without the last line": bad(CUT, chunked(b"good", end=b"0\r\n"), body=b"good"),
    "a chunk that is cut": bad(CUT, chunked(b"good", end=b"4\r\nmo"), body=b"goodmo"),
    "a chunk of no size": bad(NO_HTTP, chunked(b"good", end=b"many\r\nmore"), body=b"good"),
    "a chunk of a negative size": bad(NO_HTTP, chunked(b"good", end=b"-4\r\nmore\r\n0\r\n\r\n"), body=b"good"),
    "a chunk longer than its size": bad(NO_HTTP, chunked(end=b"2\r\ngood\r\n0\r\n\r\n"), body=None),
    "chunks, and nothing more": good(chunked(), body=b""),
    "chunks and a length": good(chunked(b"good", headers=[b"Content-Length: 3"])),
    "chunks in capital letters": good(chunked(end=b"A\r\ngood 12345\r\n0\r\n\r\n"), body=b"good 12345"),
    "chunks with spaces behind the size": good(chunked(end=b"4  \r\ngood\r\n0\r\n\r\n")),
    "chunks with spaces before the size": bad(NO_HTTP, chunked(end=b"  4\r\ngood\r\n0\r\n\r\n")),
    "chunks with 0x": bad(NO_HTTP, chunked(end=b"0x4\r\ngood\r\n0\r\n\r\n")),
    "chunks with an underscore": bad(NO_HTTP, chunked(end=b"1_0\r\n0123456789abcdef\r\n0\r\n\r\n")),
    "chunks with line feeds only": bad(CUT, chunked(end=b"4\ngood\n0\n\n")),
    "chunks, the last without its end, and silence": bad(TIMED_OUT, chunked(b"good", end=b"0\r\n"), HOLD, body=b"good"),
    "chunks and more behind them": good(chunked(b"good") + b"not for you"),
    "chunks with a trailer that is none": bad(NO_HTTP, chunked(b"good", end=b"0\r\nnonsense\r\n\r\n"), body=b"good"),
    "chunks with a trailer that has no end": bad(
        TOO_LONG, chunked(b"good", end=b"0\r\n"), *[b"X: y\r\n" * 1000] * 100, body=b"good"
    ),
    "an endless extension": bad(TOO_LONG, chunked(end=b"4;"), *[b"a" * 100_000] * 50),
    "a chunk beyond all memory": bad(CUT, chunked(end=b"f" * 16 + b"\r\ngood"), body=b"good"),
    "a chunk that is reset": bad(RESET_ERROR, chunked(end=b"4\r\ngo"), 0.05, RESET, body=b"go"),
    # lengths and encodings of transfer
    "the same length twice": good(page(b"good", b"Content-Length: 4")),
    "the same length in one line": good(page(b"good", b"Content-Length: 4, 4", length=False)),
    "two lengths": bad(NO_HTTP, page(b"good", b"Content-Length: 3")),
    "a negative length": bad(NO_HTTP, page(b"good", b"Content-Length: -4", length=False)),
    "a length in words": bad(NO_HTTP, page(b"good", b"Content-Length: four", length=False)),
    "a length beyond all memory": bad(CUT, page(b"good", b"Content-Length: " + b"9" * 20, length=False), body=b"good"),
    "a length of very many digits": bad(NO_HTTP, page(b"good", b"Content-Length: " + b"9" * 9000, length=False)),
    "an unknown transfer": bad(NO_HTTP, page(b"good", b"Transfer-Encoding: sealed", length=False)),
    "a length with spaces": good(framed(b"Content-Length:   4  ")),
    "a length with a plus": bad(NO_HTTP, framed(b"Content-Length: +4")),
    "a length of nothing": bad(NO_HTTP, framed(b"Content-Length:")),
    "a length in hex": bad(NO_HTTP, framed(b"Content-Length: 0x4")),
    "a length with a space before the colon": bad(NO_HTTP, framed(b"Content-Length : 4")),
    "two lengths in one line": bad(NO_HTTP, framed(b"Content-Length: 4, 5")),
    "a transfer that packs": bad(NO_HTTP, framed(b"Transfer-Encoding: gzip, chunked", body=b"4\r\ngood\r\n0\r\n\r\n")),
    "chunked twice": bad(NO_HTTP, framed(*[b"Transfer-Encoding: chunked"] * 2, body=b"4\r\ngood\r\n0\r\n\r\n")),
    # heads
    "Latin-1 in the reason": good(page(status="200 Très bien".encode("latin-1"))),
    "no reason": good(page(status=b"200")),
    "Latin-1 in a header": good(page(b"good", "X: café".encode("latin-1"))),
    "a long header": good(page(b"good", b"X: " + b"y" * 20_000)),
    "many headers": good(page(b"good", *[b"X-%d: y" % n for n in range(400)])),
    "endless headers": bad("RemoteProtocolError: answered with", page(b"", *[b"X-%d: y" % n for n in range(20_000)])),
    "an endless header": bad("RemoteProtocolError: answered with", page(b"", b"X: " + b"y" * 300_000)),
    "a folded header": good(page(b"good", b"X: a\r\n b")),
    "a header without a colon": bad(NO_HTTP, page(b"good", b"nonsense")),
    "a header without a name": bad(NO_HTTP, page(b"good", b": nonsense")),
    "a header with a space in its name": bad(NO_HTTP, page(b"good", b"X Y: z")),
    "a header with a zero": bad(NO_HTTP, page(b"good", b"X: a\0b")),
    "a header with a carriage return": bad(NO_HTTP, page(b"good", b"X: a\rb")),
    "UTF-8 in a header": good(page(b"good", "X: ✓".encode())),
    "a header folded before there is one": bad(NO_HTTP, page().replace(b"Content", b" X: y\r\nContent")),
    "an empty line first": bad(NO_HTTP, b"\r\n" + page()),
    "a mark of byte order first": bad(NO_HTTP, b"\xef\xbb\xbf" + page()),
    "empty lines without an end": bad(NO_HTTP, *[b"\r\n" * 1000] * 300),
    "HTTP/1.0, kept open": good(page(b"good", b"Connection: keep-alive").replace(b"HTTP/1.1", b"HTTP/1.0"), HOLD),
    "HTTP/2": bad(NO_HTTP, page().replace(b"HTTP/1.1", b"HTTP/2")),
    "the beginning of TLS": bad(NO_HTTP, b"\x15\x03\x01\0\x02\x02\x16"),
    "the status line only": bad(CUT, b"HTTP/1.1 200 OK\r\n"),
    "no headers": good(b"HTTP/1.1 200 OK\r\n\r\ngood"),
    "another protocol, and silence": bad(TIMED_OUT, b"220 ready\r\n", HOLD),
    "line feeds only": good(page().replace(b"\r\n", b"\n")),
    "HTTP/1.0": good(page(length=False).replace(b"HTTP/1.1", b"HTTP/1.0")),
    "HTTP/0.9": bad(NO_HTTP, b"<h1>good</h1>\r\n"),
    "another protocol": bad(NO_HTTP, b"SSH-2.0-OpenSSH_9.2\r\n", 0.05),
    "garbage": bad(NO_HTTP, b"?!" * 40 + b"\r\n\r\n"),
    "nothing but zeros": bad(NO_HTTP, bytes(200) + b"\r\n\r\n"),
    "a status of four digits": bad(NO_HTTP, page(status=b"2000 OK")),
    "a status of letters": bad(NO_HTTP, page(status=b"OK OK")),
    # statuses
    "404": good(page(status=b"404 Not Found"), status=404),
    "500": good(page(status=b"500 Oops"), status=500),
    "599": good(page(status=b"599 Strange"), status=599),
    "204 with a body": good(page(status=b"204 No Content"), status=204, body=b""),
    "304 with a body": good(page(status=b"304 Not Modified"), status=304, body=b""),
    "205 with a body": good(page(status=b"205 Reset Content"), status=205),
    "100 first": good(b"HTTP/1.1 100 Continue\r\n\r\n" + page()),
    "103 twice": good(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 2, 0.02, page()),
    "100 only": bad(NO_ANSWER, b"HTTP/1.1 100 Continue\r\n\r\n"),
    "101 unasked": bad(NO_HTTP, b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", 0.02),
    "100 a thousand times": good(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000 + page()),
    "100, then reset": bad(NO_ANSWER, b"HTTP/1.1 100 Continue\r\n\r\n", 0.05, RESET),
    "100, then cut": bad(CUT, b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 20"),
    "0": bad(NO_HTTP, page(status=b"000 Zero")),
    "999": good(page(status=b"999 Many"), status=999),
    "204, kept open": good(b"HTTP/1.1 204 No Content\r\n\r\n", HOLD, status=204, body=b""),
    "304 with a length, kept open": good(
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 50\r\n\r\n", HOLD, status=304, body=b""
    ),
    "206": good(page(b"good", b"Content-Range: bytes 0-3/100", status=b"206 Part"), status=206),
    "reset after the page": good(page(), 0.02, RESET),
    "401": good(page(b"good", b'WWW-Authenticate: Basic realm="x"', status=b"401 Who"), status=401),
    "407": good(page(status=b"407 Who"), status=407),
    "429": good(page(status=b"429 Later"), status=429),
    "429 for ever": good(page(b"good", b"Retry-After: " + b"9" * 400, status=b"429 Later"), status=429),
    "503 till the end of days": good(
        page(b"good", b"Retry-After: Fri, 31 Dec 99999 23:59:59 GMT", status=b"503 Not now"), status=503
    ),
    # packed pages
    "gzip": good(packed(ZIPPED), body=WORDS),
    "gzip, byte by byte": good(*[bytes([byte]) for byte in packed(ZIPPED)], body=WORDS),
    "gzip in chunks": good(chunked(ZIPPED[:30], ZIPPED[30:], headers=[b"Content-Encoding: gzip"]), body=WORDS),
    "gzip in two members": good(packed(ZIPPED + gzip.compress(b"more", mtime=0)), body=WORDS + b"more"),
    "gzip and zeros": good(packed(ZIPPED + bytes(20)), body=WORDS),
    "gzip and more": good(packed(ZIPPED + b"more"), body=WORDS),
    "gzip twice over": good(packed(gzip.compress(ZIPPED), b"gzip, gzip"), body=WORDS),
    "gzip cut": bad("DecodingError: cut short", packed(ZIPPED[:-9]), body=WORDS),
    "gzip cut in the second member": bad("DecodingError: cut short", packed(ZIPPED + ZIPPED[:20]), body=None),
    "gzip damaged": bad(UNPACKABLE, packed(ZIPPED[:40] + b"xxxxxxxx" + ZIPPED[48:]), body=None),
    "gzip with a wrong sum": bad(UNPACKABLE, packed(ZIPPED[:-8] + b"xxxx" + ZIPPED[-4:]), body=WORDS),
    "said to be gzip": bad(UNPACKABLE, packed(b"good")),
    "said to be gzip, and empty": good(packed(b""), body=b""),
    "deflate": good(packed(zlib.compress(WORDS), b"deflate"), body=WORDS),
    "deflate without zlib's wrapping": good(packed(raw_deflate(WORDS), b"deflate"), body=WORDS),
    "deflate, byte by byte": good(*[bytes([byte]) for byte in packed(raw_deflate(WORDS), b"deflate")], body=WORDS),
    "deflate cut": bad("DecodingError: cut short", packed(zlib.compress(WORDS)[:-5], b"deflate"), body=WORDS),
    "deflate, then gzip": good(packed(gzip.compress(zlib.compress(WORDS)), b"deflate, gzip"), body=WORDS),
    "identity": good(packed(b"good", b"identity")),
    "an encoding that was not asked for": good(packed(b"good", b"br")),
    "an unknown encoding": good(packed(b"good", b"rot13")),
    "packed very often": bad("DecodingError: packed", packed(b"good", b", ".join([b"gzip"] * 9))),
    "gzip five times over": good(packed(five_times(ZIPPED), b", ".join([b"gzip"] * 5)), body=WORDS),
    "gzip in very many members": good(packed(gzip.compress(b"x", mtime=0) * 5_000), body=b"x" * 5_000),
    "gzip in many empty members": good(packed(gzip.compress(b"", mtime=0) * 20_000), body=b""),
    "gzip, head only": bad("DecodingError: cut short", packed(ZIPPED[:10])),
    "gzip and a length too long": bad(
        CUT, page(ZIPPED, b"Content-Encoding: gzip", b"Content-Length: 500", length=False), body=WORDS
    ),
    "gzip cut, without a length": bad(
        "DecodingError: cut short", page(ZIPPED[:-9], b"Content-Encoding: gzip", length=False), body=WORDS
    ),
    "gzip of a page that is not there": good(
        page(ZIPPED, b"Content-Encoding: gzip", status=b"404 Not Found"), status=404, body=WORDS
    ),
    "deflate of one byte": bad("DecodingError: cut short", packed(b"x", b"deflate")),
    "deflate with a wrong sum": bad(UNPACKABLE, packed(zlib.compress(WORDS)[:-4] + b"xxxx", b"deflate"), body=WORDS),
    "a strange charset": good(page(b"good", b"Content-Type: text/html; charset=nonsense")),
    "204 said to be gzip": good(page(b"", b"Content-Encoding: gzip", status=b"204 None"), status=204, body=b""),
    # too much
    "a bomb": bad("ReadError: too large", packed(BOMB), body=None),
    "a bomb in a bomb": bad("ReadError: too large", packed(gzip.compress(BOMB), b"gzip, gzip"), body=None),
    "an endless page": bad("ReadError: too large", page(b"", length=False), *[bytes(100_000)] * 400, body=None),
    "endless hints": bad(TIMED_OUT, *[b"HTTP/1.1 103 Hints\r\n\r\n" * 20, 0.02] * 200),
    # sent on
    "sent on": good(to(b"/length")),
    "sent on, 301": good(to(b"/length", status=b"301 Moved")),
    "sent on, 303": good(to(b"/length", status=b"303 See")),
    "sent on, 307": good(to(b"/length", status=b"307 See")),
    "sent on, 308": good(to(b"/length", status=b"308 See")),
    "sent on without a length": good(to(b"/length").replace(b"Content-Length", b"X")),
    "sent on in a page without an end": good(to(b"/length").replace(b"Content-Length: 7", b"Content-Length: 9"), HOLD),
    "sent on to a neighbour": good(to(b"length")),
    "sent on to another host": good(to(b"//localhost:PORT/length")),
    "sent on with a password": good(to(b"http://cook:secret@127.0.0.1:PORT/without a password")),
    "sent on with a space and an ü": good(to("/length?q=ü and so on#part".encode())),
    "sent on twice": good(to(b"/sent%20on")),
    "sent on by a site that hangs up": good(to(b"/length", b"Connection: close")),
    "sent on to itself": bad("TooManyRedirects", to(b"?")),
    # sent on with cookies
    "a cookie": good(baked(b"a=b; Path=/"), body=b"a=b"),
    "a cookie without a path": good(baked(b"a=b"), body=b"a=b"),
    "a cookie for elsewhere": good(baked(b"a=b; Path=/elsewhere"), body=b""),
    "a cookie of another site": good(baked(b"a=b; Path=/; Domain=example.org"), body=b""),
    "a cookie for TLS": good(baked(b"a=b; Path=/; Secure"), body=b""),
    "a cookie of old": good(baked(b"a=b; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT"), body=b""),
    "a cookie for no time": good(baked(b"a=b; Path=/; Max-Age=0"), body=b""),
    "a cookie with quotes": good(baked(b'a="b"; Path=/'), body=b'a="b"'),
    "a cookie in UTF-8": good(baked("a=ü✓; Path=/".encode()), body="a=ü✓".encode()),
    "a cookie in Latin-1": good(baked(b"a=\xfc; Path=/"), body=b"a=\xfc"),
    "a cookie with line ends, written out": good(baked(b"a=%0d%0aX: y; Path=/"), body=b"a=%0d%0aX: y"),
    "a cookie twice": good(baked(b"a=b; Path=/", b"a=c; Path=/"), body=b"a=c"),
    "a large cookie": good(baked(b"a=" + b"b" * 50_000 + b"; Path=/"), body=b"a=" + b"b" * 50_000),
    "a cookie for another host": good(to(b"http://localhost:PORT/cookies", b"Set-Cookie: a=b; Path=/"), body=b""),
    "sent on with strange cookies": good(
        to(
            b"/length",
            b"Set-Cookie: =;;;=",
            b"Set-Cookie: a=b; Expires=Wed, 99 Foo 99999 99:99:99 GMT; Max-Age=x; Domain=.",
        )
    ),
    "sent on with two addresses": good(
        page(b"", b"Location: /length", b"Location: /length", status=SENT_ON), status=404, body=None
    ),
    "sent on to mail": bad("UnsupportedProtocol", to(b"mailto:cook@example.org")),
    "sent on to a file": bad("UnsupportedProtocol", to(b"file:///etc/passwd")),
    "sent on to nonsense": bad("RemoteProtocolError: the site sends us on", to(b"http://[::1")),
    "sent on to a port that is none": bad("RemoteProtocolError: the site sends us on", to(b"http://127.0.0.1:99999/")),
    "sent on to nobody": bad("ConnectError: refused", to(b"http://127.0.0.1:REFUSING/")),
    "sent on to nowhere": good(page(status=SENT_ON), status=302),
    "304 with a Location": good(page(b"", b"Location: /length", status=b"304 Same"), status=304, body=b""),
    "305 with a Location": good(page(b"good", b"Location: /length", status=b"305 Proxy"), status=305),
    "sent on to the whole address": good(to(b"HTTP://127.0.0.1:PORT/length")),
    "sent on over folders": good(to(b"../x/./../length")),
    "sent on to an empty address": bad("TooManyRedirects", to(b"")),
    "sent on to a part of itself": bad("TooManyRedirects", to(b"#part")),
    "sent on with a tab": bad("RemoteProtocolError: the site sends us on", to(b"/len\tgth")),
    "sent on to data": bad("UnsupportedProtocol", to(b"data:text/plain,good")),
    "sent on to FTP": bad("UnsupportedProtocol", to(b"ftp://127.0.0.1/good")),
    "sent on to a script": bad("UnsupportedProtocol", to(b"javascript:alert(1)")),
    "sent on to a far too long address": bad("RemoteProtocolError: the site sends us on", to(b"/" + b"a" * 70_000)),
    "sent on to port 0": bad("RemoteProtocolError: the site sends us on", to(b"http://127.0.0.1:0/")),
    "300 with a Location": good(page(b"good", b"Location: /length", status=b"300 Choose"), status=300),
    "200 with a Location": good(page(b"good", b"Location: /elsewhere")),
    "sent on to what is cut": bad(CUT, to(b"/shorter%20than%20its%20length"), body=b"go"),
    # what others left behind
    "marks everybody": good(page(b"good", b"Set-Cookie: marked=yes; Path=/")),
    "many cookies": good(page(b"good", *[b"Set-Cookie: a%d=b; Path=/" % n for n in range(100)])),
}
