"""One anchor, and what a place that keeps anchors can do."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.kernel.canon import digest_of, microseconds

FIRST = bytes(32)
"""Stands for the digest before the first."""


class AnchorsUnreadable(Exception):
    """The place cannot be read or written, or holds something that is no anchor; names the line where there is one."""


@dataclass(frozen=True)
class Anchor:
    """Up to `block_no` the log was this: the block's own hash, and how many rows all blocks up to it hold."""

    block_no: int
    hash: bytes
    rows: int
    at: datetime
    previous: bytes
    """The digest of the anchor before in the same place: none can be taken from between two others."""

    @property
    def digest(self) -> bytes:
        """SHA-256 over everything that it says."""
        return digest_of(
            "anchor", self.block_no, self.hash.hex(), self.rows, microseconds(self.at), self.previous.hex()
        )


class AnchorPlace(Protocol):
    """Something outside of the database that keeps what it is given, in order."""

    @property
    def name(self) -> str:
        """By which it is known for ever in the log's own notes."""

    def last(self) -> Anchor | None:
        """The newest anchor that it holds. Raises `AnchorsUnreadable`."""

    def append(self, anchor: Anchor) -> None:
        """Keep one more, for good before this returns. Raises `AnchorsUnreadable`."""

    def all(self) -> Sequence[Anchor]:
        """Everything that it holds, oldest first. Raises `AnchorsUnreadable`."""
