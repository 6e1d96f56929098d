"""A page's Content-Encoding undone, piece by piece: a few bytes may become very many, so never all of them at once."""

import zlib
from collections.abc import Callable, Iterator

from kitchen.web.library import httpx

# What the standard library can undo piece by piece; httpx would ask for br and zstd as well.
ACCEPTED = b"gzip, deflate"
PIECE_BYTES = 64 * 1024
MOST_LAYERS = 5  # one is usual; curl takes as many as this
GZIP, ZLIB, RAW = zlib.MAX_WBITS | 16, zlib.MAX_WBITS, -zlib.MAX_WBITS  # how zlib is told what it will find
GZIP_BEGINS = b"\x1f\x8b"


class Decoder:
    """What `encodings` says was done to a page, undone in the opposite order.

    `encodings`: the value of the header, such as "gzip" or "deflate, gzip". What nobody knows, and what was not asked for
    (br), is left as it is, as httpx leaves it. Raises httpx.DecodingError where a page is not what the header says.
    """

    def __init__(self, encodings: str):
        names = [name.strip().lower() for name in encodings.split(",")]
        layers = [_LAYERS[name] for name in reversed(names) if name in _LAYERS]
        if len(layers) > MOST_LAYERS:
            raise httpx.DecodingError(f"packed {len(layers)} times over: more than {MOST_LAYERS} are not undone")
        self._layers = [layer() for layer in layers]

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """What these bytes of the body become, in pieces of at most PIECE_BYTES or the size of `data`."""
        return self._undone(data, self._layers)

    def _undone(self, data, layers):
        if not layers:
            yield data
            return
        try:
            for piece in layers[0].pieces(data):
                yield from self._undone(piece, layers[1:])
        except zlib.error:
            raise httpx.DecodingError("the page cannot be unpacked: it is not what its Content-Encoding says") from None

    def end(self) -> None:
        """The body is over. Raises httpx.DecodingError if that was too early."""
        if any(layer.is_cut_short() for layer in self._layers):
            raise httpx.DecodingError("cut short: the end of the packed page is missing")


class _Deflated:
    """What deflate packed: in zlib's wrapping, as the standard says, or in none, as some sites have it."""

    def __init__(self):
        self._first = b""
        self._zlib = None

    def pieces(self, data):
        if self._zlib is None:
            self._first += data
            if len(self._first) < 2:
                return
            data, self._first = self._first, self._first[:2]
            method, check = self._first
            wrapped = method & 0x0F == zlib.DEFLATED and (method << 8 | check) % 31 == 0  # RFC 1950
            self._zlib = zlib.decompressobj(ZLIB if wrapped else RAW)
        if not self._zlib.eof:  # what follows the end is nobody's
            yield from _unpacked(self._zlib, data)

    def is_cut_short(self):
        return bool(self._first) and not (self._zlib and self._zlib.eof)


class _Gzipped:
    """What gzip packed: one member, or several in a row, perhaps with zeros or anything else behind them."""

    def __init__(self):
        self._zlib = zlib.decompressobj(GZIP)
        self._begun = False
        self._behind = b""  # the end of a member, as far as it does not tell yet whether another begins

    def pieces(self, data):
        while data and self._zlib is not None:
            if self._zlib.eof:
                self._behind = (self._behind + data).lstrip(b"\0")
                if len(self._behind) < 2:
                    return
                begins = self._behind.startswith(GZIP_BEGINS)
                data, self._behind = self._behind, b""
                self._zlib = zlib.decompressobj(GZIP) if begins else None
                continue
            self._begun = True
            yield from _unpacked(self._zlib, data)
            data = self._zlib.unused_data

    def is_cut_short(self):
        return self._begun and self._zlib is not None and not self._zlib.eof


def _unpacked(packed, data) -> Iterator[bytes]:
    """The pieces that come of `data`, up to the end of what was packed.

    Where it is damaged, all comes that stands before the damage, wherever the network happened to cut the page in pieces.
    """
    while True:
        before = packed.copy()
        try:
            piece = packed.decompress(data, PIECE_BYTES)
        except zlib.error:
            for at in range(len(data)):
                yield before.decompress(data[at : at + 1])
            raise
        yield piece
        data = packed.unconsumed_tail
        if packed.eof or not (data or len(piece) == PIECE_BYTES):
            return


_LAYERS: dict[str, Callable] = {"gzip": _Gzipped, "deflate": _Deflated}
