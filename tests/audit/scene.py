"""A sealed log: in memory, made by the same rules, or in the database, made by the platform."""

import hashlib
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.adapters.anchors import FIRST, Anchor, FolderAnchors
from app.domain.audit import actions
from app.domain.audit.queries import Proof, proof
from app.domain.audit.rules import Block, Entry, Fault, Noted, Walk, faults_of
from app.kernel import audit
from app.kernel.db import transaction

BEGAN = datetime(2026, 6, 10, 12, tzinfo=UTC)
PLACE = "elsewhere"


@dataclass(frozen=True)
class Log:
    """Everything that a verification looks at."""

    blocks: Sequence[Block]
    entries: Sequence[Entry]
    anchors: Sequence[Anchor]
    noted: Sequence[Noted]

    def faults(self) -> list[Fault]:
        """What the verification finds; it is handed entries as a database would, in the order of transactions."""
        end = max((block.below_xid for block in self.blocks), default=0)
        below = sorted((e for e in self.entries if e.transaction_id < end), key=lambda each: each.transaction_id)
        blocks = sorted(self.blocks, key=lambda block: block.block_no)
        return list(faults_of(Walk(), blocks, below, {PLACE: self.anchors}, self.noted))


def log_in_memory(chance: random.Random, blocks: int = 6, anchored: int = 2) -> Log:
    """Blocks of two to four entries, with gaps in numbers and transactions, every other block anchored."""
    made: list[Block] = []
    entries: list[Entry] = []
    anchors: list[Anchor] = []
    number, xid = 1, 700
    for block_no in range(1, blocks + 1):
        inside: list[Entry] = []
        for _ in range(chance.randint(2, 4)):
            number, xid = number + chance.randint(1, 3), xid + chance.randint(0, 2)
            inside.append(an_entry(number, xid))
        xid += 1
        entries += inside
        made.append(sealed(block_no, xid, inside, made))
        if block_no % anchored == 0:
            anchors.append(an_anchor(made[-1], len(entries), anchors))
    return Log(made, entries, anchors, [Noted(each.block_no, PLACE, each.digest) for each in anchors])


def an_entry(number: int, xid: int) -> Entry:
    detail = f'{{"fen": {number * 7}}}'
    return Entry(number, BEGAN + timedelta(seconds=number), f"staff:{number % 3}", "refund.approve", "refund", number,
                 detail, f"request-{number}", xid)  # fmt: skip


def sealed(block_no: int, ends: int, inside: Sequence[Entry], former: Sequence[Block]) -> Block:
    """A block of these entries after the former ones, hashed as it should be."""
    last = former[-1] if former else None
    begins, before, previous = (last.below_xid, last.total, last.hash) if last else (0, 0, FIRST)
    numbers = [entry.id for entry in inside]
    leaves = b"".join(entry.leaf for entry in sorted(inside, key=lambda each: each.id))
    draft = Block(
        block_no, begins, ends, min(numbers), max(numbers), len(inside), before + len(inside), leaves,
        root_of(leaves), previous, BEGAN + timedelta(minutes=block_no), b"",
    )  # fmt: skip
    return replace(draft, hash=draft.true_hash)


def root_of(leaves: bytes) -> bytes:
    return hashlib.sha256(leaves).digest()


def an_anchor(block: Block, rows: int, before: Sequence[Anchor]) -> Anchor:
    previous = before[-1].digest if before else FIRST
    return Anchor(block.block_no, block.hash, rows, block.sealed_at, previous)


def deeds(count: int, actor: str = "staff:1") -> None:
    """So many deeds, a transaction each."""
    for number in range(count):
        with transaction():
            audit.record("lots.change", "lot", number + 1, actor, {"bays": number, "为何": "测试"})


def deeds_at_once(count: int, actor: str = "staff:1") -> None:
    """The same in one transaction, which no seal tears: they come into one block, whatever others are doing."""
    with transaction():
        deeds(count, actor)


def seal_all(places: Sequence[FolderAnchors] = ()) -> Proof:
    """Seal until nothing is left: transactions in the databases of other workers may keep some waiting."""
    for _ in range(10_000):
        actions.seal()
        found = proof([])
        if not found.unsealed:
            actions.anchor(places)
            return proof(places)
    raise AssertionError("some transaction never ends")


def several_blocks(places: Sequence[FolderAnchors], blocks: int = 6, each: int = 5) -> Proof:
    """A log of some blocks, each anchored."""
    for _ in range(blocks):
        deeds_at_once(each)
        found = seal_all(places)
    return found


def kept(place: FolderAnchors) -> Mapping[str, Sequence[Anchor]]:
    return {place.name: place.all()}


def lines(folder: Path) -> list[str]:
    return FolderAnchors(folder).file.read_text().splitlines()
