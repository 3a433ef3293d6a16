"""From the bytes that were downloaded to the text that was hashed, piece by piece."""

import hashlib
import zlib
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final

from payments.bills.rules.reading import BillRefused

GZIP: Final = b"\x1f\x8b"
PIECE: Final = 256 * 1024
MOST_BYTES: Final = 8 * 1024**3
"""Of one inflated part: a bill of ten million lines is half of it."""


class Inflated:
    """The inflated text of one part; exhausted, it is known whether it is what WeChat hashed.

    Plain text passes as it is. Raises `BillRefused`: `truncated`, `not_gzip`, `trailing_bytes`, `too_large`,
    `hash_mismatch`.
    """

    def __init__(self, pieces: Iterable[bytes], sha1: str, most_bytes: int = MOST_BYTES) -> None:
        self._pieces = iter(pieces)
        self._sha1 = sha1
        self._most_bytes = most_bytes

    def __iter__(self) -> Iterator[bytes]:
        digest, size = hashlib.sha1(usedforsecurity=False), 0
        for text in self.texts():
            size += len(text)
            if size > self._most_bytes:
                raise BillRefused("too_large")
            digest.update(text)
            yield text
        if digest.hexdigest() != self._sha1:
            raise BillRefused("hash_mismatch")

    def texts(self) -> Iterator[bytes]:
        """The text piece by piece, whatever its hash."""
        first = next(self._pieces, b"")
        if not first.startswith(GZIP):
            yield first
            yield from self._pieces
            return
        inflating = zlib.decompressobj(wbits=31)
        try:
            for piece in chain([first], self._pieces):
                yield from _inflate(inflating, piece)
        except zlib.error:
            raise BillRefused("not_gzip") from None
        if not inflating.eof:
            raise BillRefused("truncated")


def sha1_of(pieces: Iterable[bytes]) -> str:
    """The SHA-1 of a part's inflated text, where nobody signed one. Raises `BillRefused` as `Inflated` does."""
    digest, size = hashlib.sha1(usedforsecurity=False), 0
    for text in Inflated(pieces, "").texts():
        size += len(text)
        if size > MOST_BYTES:
            raise BillRefused("too_large")
        digest.update(text)
    return digest.hexdigest()


def _inflate(inflating: "zlib._Decompress", piece: bytes) -> Iterator[bytes]:
    while piece:
        if inflating.eof:
            raise BillRefused("trailing_bytes")
        yield inflating.decompress(piece, PIECE)
        piece = inflating.unconsumed_tail or inflating.unused_data
