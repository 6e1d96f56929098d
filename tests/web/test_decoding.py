"""A page is unpacked piece by piece, with the same outcome wherever the network happened to cut it."""

import gzip
import random
import zlib

import pytest
from helpers.kinds import WORDS, ZIPPED, raw_deflate

from kitchen.web.decoding import PIECE_BYTES, Decoder
from kitchen.web.library import httpx


def outcome(encodings, parts):
    """What came of these parts, and the error that ended it."""
    came = b""
    try:
        decoder = Decoder(encodings)
        for part in parts:
            for piece in decoder.pieces(part):
                came += piece
        decoder.end()
    except httpx.DecodingError as error:
        return came, str(error)
    return came, None


def cut(data, rng):
    """These bytes in parts of any size."""
    places = sorted(rng.choices(range(len(data) + 1), k=rng.randrange(6)))
    return [data[start:end] for start, end in zip([0, *places], [*places, len(data)], strict=True)]


@pytest.mark.parametrize(
    ("encodings", "data"),
    [
        ("", WORDS),
        ("gzip", ZIPPED),
        ("GZip ", ZIPPED),
        ("gzip", ZIPPED + ZIPPED),
        ("gzip", ZIPPED + bytes(7) + ZIPPED),
        ("gzip", ZIPPED + b"more"),
        ("gzip", ZIPPED[:-3]),
        ("gzip", ZIPPED + ZIPPED[:5]),
        ("gzip", ZIPPED[:50] + b"damage" + ZIPPED[56:]),
        ("gzip", ZIPPED[:-6] + b"xx" + ZIPPED[-4:]),
        ("gzip", b"not at all"),
        ("deflate", zlib.compress(WORDS)),
        ("deflate", raw_deflate(WORDS)),
        ("deflate", raw_deflate(WORDS)[:-2]),
        ("deflate, gzip", gzip.compress(zlib.compress(WORDS), mtime=0)),
        ("gzip, gzip", gzip.compress(ZIPPED[:60], mtime=0)),
    ],
)
def test_it_does_not_matter_where_the_network_cuts_a_page(encodings, data):
    rng = random.Random(7)
    whole = outcome(encodings, [data])
    assert outcome(encodings, [data[at : at + 1] for at in range(len(data))]) == whole
    for _ in range(100):
        assert outcome(encodings, cut(data, rng)) == whole


def test_few_bytes_become_many_in_pieces():
    pieces = Decoder("gzip").pieces(gzip.compress(bytes(30_000_000)))
    sizes = [len(piece) for piece in pieces]
    assert max(sizes) <= PIECE_BYTES
    assert sum(sizes) == 30_000_000
