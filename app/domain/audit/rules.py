"""What a sealed log must look like, and what is wrong with one that does not.

One pass over blocks, entries and anchors in their order, from wherever they come: the tables, or an export in memory.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby
from typing import Final, NamedTuple

from app.adapters.anchors import FIRST, Anchor
from app.kernel.canon import digest_of, microseconds

LEAF: Final = 40
"""Bytes of a block's leaf: an entry's number (8) and its digest (32)."""
NUMBER: Final = 8


class Entry(NamedTuple):
    """One row of the log as it is hashed; `detail` is the database's own text of its JSON."""

    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    subject_id: int
    detail: str
    request_id: str
    transaction_id: int

    @property
    def digest(self) -> bytes:
        return digest_of(
            "entry", self.id, microseconds(self.at), self.actor, self.action, self.subject, self.subject_id,
            self.detail, self.request_id, self.transaction_id,
        )  # fmt: skip

    @property
    def leaf(self) -> bytes:
        return self.id.to_bytes(NUMBER, "big", signed=True) + self.digest


@dataclass(frozen=True)
class Block:
    """One sealed stretch: all entries of transactions `from_xid` ≤ x < `below_xid`."""

    block_no: int
    from_xid: int
    below_xid: int
    first_id: int
    last_id: int
    entries: int
    total: int
    leaves: bytes
    root: bytes
    previous: bytes
    sealed_at: datetime
    hash: bytes

    @property
    def true_hash(self) -> bytes:
        """What `hash` must be, by all the rest but the leaves, for which the root stands."""
        return digest_of(
            "block", self.block_no, self.from_xid, self.below_xid, self.first_id, self.last_id, self.entries,
            self.total, self.root.hex(), self.previous.hex(), microseconds(self.sealed_at),
        )  # fmt: skip

    @property
    def is_as_sealed(self) -> bool:
        """Whether it agrees with itself: its hash covers all but the leaves, and its root covers those."""
        fits = len(self.leaves) == LEAF * self.entries
        return fits and self.hash == self.true_hash and self.root == hashlib.sha256(self.leaves).digest()

    @property
    def sealed(self) -> dict[int, bytes]:
        """Each entry's digest at the time of sealing, by the entry's number, in order."""
        starts = range(0, len(self.leaves), LEAF)
        return {
            int.from_bytes(self.leaves[at : at + NUMBER], "big", signed=True): self.leaves[at + NUMBER : at + LEAF]
            for at in starts
        }


@dataclass(frozen=True)
class Noted:
    """The log's own note of an anchor that it gave to a place."""

    block_no: int
    place: str
    digest: bytes


@dataclass(frozen=True)
class Printed:
    """An anchor from a sign-off sheet: a block, and the hash that it had."""

    block_no: int
    hash: bytes


@dataclass(frozen=True)
class Fault:
    """One thing that is not as it was sealed: what kind, in which block, about which entry, place or anchor."""

    kind: str
    block: int | None = None
    row: int | None = None
    place: str | None = None
    more: int = 0
    """How many others of the kind go with it."""


KINDS: Final[Mapping[str, str]] = {
    "row_changed": "记录内容被改动",
    "row_removed": "记录被删除",
    "row_inserted": "封存后插入的记录",
    "row_beyond": "记录的事务号尚未发生",
    "block_changed": "区块内容被改动",
    "block_removed": "缺少区块",
    "chain_broken": "区块与前一区块不衔接",
    "anchor_differs": "区块与外部锚点不符",
    "anchor_changed": "锚点文件被改动",
    "anchor_removed": "外部锚点缺失",
    "anchors_unreadable": "外部锚点无法读取",
    "tail_cut": "锚点之后的区块被截断",
}


@dataclass
class Walk:
    """What is known while blocks pass by in their order."""

    blocks: int = 0
    entries: int = 0
    head: Block | None = None
    wanted: frozenset[int] = frozenset()
    passed: dict[int, Block] = field(default_factory=dict)
    """The blocks that anchors name, without their leaves."""

    def note(self, block: Block) -> None:
        self.blocks += 1
        self.entries += block.entries
        self.head = block
        if block.block_no in self.wanted:
            self.passed[block.block_no] = replace(block, leaves=b"")


def faults_of(
    walk: Walk,
    blocks: Iterable[Block],
    entries: Iterable[Entry],
    anchors: Mapping[str, Sequence[Anchor]],
    noted: Sequence[Noted],
    printed: Sequence[Printed] = (),
) -> Iterator[Fault]:
    """Everything that is wrong, block after block, then what the anchors miss.

    `blocks` in the order of their numbers, `entries` in that of their transactions and only those below the last
    block's end; `anchors` by place, oldest first.
    """
    named = [each.block_no for kept in anchors.values() for each in kept]
    walk.wanted = frozenset([*named, *(each.block_no for each in printed)])
    rest = _Rest(entries)
    for block in blocks:
        yield from _link(walk.head, block)
        yield from _stray(rest.below(block.from_xid), block.block_no)
        yield from _content(block, rest.below(block.below_xid))
        walk.note(block)
    yield from _stray(rest.all(), None)
    for place, kept in anchors.items():
        yield from _place(walk, place, kept, [each.digest for each in noted if each.place == place])
    for each in printed:
        yield from _held_against(walk, each.block_no, each.hash, None, "printed")


class _Rest:
    """Entries that no block has taken yet."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._coming = iter(entries)
        self._next = next(self._coming, None)

    def below(self, xid: int) -> list[Entry]:
        """Take those of transactions before that one."""
        taken = []
        while self._next is not None and self._next.transaction_id < xid:
            taken.append(self._next)
            self._next = next(self._coming, None)
        return taken

    def all(self) -> list[Entry]:
        left = [] if self._next is None else [self._next, *self._coming]
        self._next = None
        return left


def _link(before: Block | None, block: Block) -> Iterator[Fault]:
    number, end, total = (before.block_no, before.below_xid, before.total) if before else (0, 0, 0)
    previous = before.hash if before else FIRST
    if block.block_no != number + 1:
        yield Fault("block_removed", number + 1, more=block.block_no - number - 2)
    elif (block.from_xid, block.total, block.previous) != (end, total + block.entries, previous):
        yield Fault("chain_broken", block.block_no)


def _stray(entries: Sequence[Entry], block: int | None) -> Iterator[Fault]:
    """Entries that lie between blocks, told as one: their block may be what is missing."""
    if entries:
        yield Fault("row_inserted", block, entries[0].id, more=len(entries) - 1)


def _content(block: Block, entries: list[Entry]) -> Iterator[Fault]:
    entries.sort(key=lambda entry: entry.id)
    found = b"".join([entry.leaf for entry in entries])
    if block.is_as_sealed and found == block.leaves:
        return
    if not block.is_as_sealed:
        yield Fault("block_changed", block.block_no)
    yield from _rows(block, {entry.id: entry.digest for entry in entries})


def _rows(block: Block, found: Mapping[int, bytes]) -> Iterator[Fault]:
    sealed = block.sealed
    for number in sorted(sealed.keys() | found.keys()):
        if number not in found:
            yield Fault("row_removed", block.block_no, number)
        elif number not in sealed:
            yield Fault("row_inserted", block.block_no, number)
        elif sealed[number] != found[number]:
            yield Fault("row_changed", block.block_no, number)


def _place(walk: Walk, place: str, kept: Sequence[Anchor], given: Sequence[bytes]) -> Iterator[Fault]:
    """A place holds all that was given to it, each anchor names the one before it, and each is true."""
    previous = FIRST
    for anchor in kept:
        if anchor.previous != previous:
            yield Fault("anchor_changed", anchor.block_no, place=place)
        previous = anchor.digest
    for anchor in kept:
        yield from _held_against(walk, anchor.block_no, anchor.hash, anchor.rows, place)
    missing = set(given) - {anchor.digest for anchor in kept}
    if missing:
        yield Fault("anchor_removed", place=place, more=len(missing) - 1)


def _held_against(walk: Walk, number: int, expected: bytes, rows: int | None, place: str) -> Iterator[Fault]:
    if number not in walk.passed:
        cut = walk.head is None or number > walk.head.block_no
        yield Fault("tail_cut" if cut else "anchor_differs", number, place=place)
        return
    found = walk.passed[number]
    if found.hash != expected or rows not in {None, found.total}:
        yield Fault("anchor_differs", number, place=place)


def by_kind(faults: Iterable[Fault]) -> dict[str, int]:
    """How many there are of each kind."""
    ordered = sorted(faults, key=lambda fault: fault.kind)
    return {kind: sum(1 + each.more for each in same) for kind, same in groupby(ordered, lambda fault: fault.kind)}


def printed_anchor(text: str) -> Printed:
    """`1234: 4f2a…` as it stands on a sheet, blanks and letter case aside; raises ValueError for anything else."""
    number, _, digits = "".join(text.split()).partition(":")
    if not number.isdecimal() or len(digits) != 2 * len(FIRST):
        raise ValueError(f"{text} is no anchor such as '1234: 4f2a…' with 64 hexadecimal digits")
    return Printed(int(number), bytes.fromhex(digits))


def on_paper(number: int, value: bytes) -> str:
    """An anchor for a sheet of paper: the block and its hash in groups of eight digits."""
    digits = value.hex()
    return f"{number}: " + " ".join(digits[at : at + 8] for at in range(0, len(digits), 8))
