"""What a verification finds in a log in memory: anything at all that is not as it was sealed."""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import pytest

from app.domain.audit.rules import KINDS, Entry, on_paper, printed_anchor
from tests.audit.scene import Log, an_anchor, an_entry, log_in_memory, sealed

TAMPERINGS = 10_000
Tamper = Callable[[Log, random.Random], Log]
T = TypeVar("T")


def altered(value: Any, chance: random.Random) -> Any:
    """Something else of the same type, hardly different."""
    if isinstance(value, str):
        return value + chance.choice(" x0.") if chance.random() < 0.5 else value[1:]
    if isinstance(value, bytes):
        at = chance.randrange(len(value))
        return value[:at] + bytes([value[at] ^ chance.randint(1, 255)]) + value[at + 1 :]
    if isinstance(value, int):
        return value + chance.choice([-1, 1]) * chance.randint(1, 40)
    return value.replace(microsecond=value.microsecond ^ 1)


def with_one(rows: Sequence[T], at: int, other: T) -> list[T]:
    return [*rows[:at], other, *rows[at + 1 :]]


def change_a_field(log: Log, chance: random.Random) -> Log:
    at = chance.randrange(len(log.entries))
    entry, name = log.entries[at], chance.choice(Entry._fields)
    other: dict[str, Any] = {name: altered(getattr(entry, name), chance)}
    return replace(log, entries=with_one(log.entries, at, entry._replace(**other)))


def remove_a_row(log: Log, chance: random.Random) -> Log:
    at = chance.randrange(len(log.entries))
    return replace(log, entries=[*log.entries[:at], *log.entries[at + 1 :]])


def swap_two_rows(log: Log, chance: random.Random) -> Log:
    """Each stands in the other's place: the numbers and transactions stay, what was done changes hands."""
    one, other = chance.sample(range(len(log.entries)), 2)
    first, second = log.entries[one], log.entries[other]
    rows = list(log.entries)
    rows[one] = second._replace(id=first.id, transaction_id=first.transaction_id)
    rows[other] = first._replace(id=second.id, transaction_id=second.transaction_id)
    return replace(log, entries=rows)


def insert_a_row(log: Log, chance: random.Random) -> Log:
    near = chance.choice(log.entries)
    taken = {entry.id for entry in log.entries}
    number = next(each for each in range(near.id, near.id + 1000) if each not in taken)
    return replace(log, entries=[*log.entries, an_entry(number, near.transaction_id)])


def cut_the_tail(log: Log, chance: random.Random) -> Log:
    """Blocks and entries from some point on, as if they had never been."""
    left = log.blocks[: chance.randrange(len(log.blocks))]
    end = left[-1].below_xid if left else 0
    return replace(log, blocks=left, entries=[entry for entry in log.entries if entry.transaction_id < end])


def change_a_block(log: Log, chance: random.Random) -> Log:
    at = chance.randrange(len(log.blocks))
    block = log.blocks[at]
    name = chance.choice(list(vars(block)))
    other: dict[str, Any] = {name: altered(getattr(block, name), chance)}
    return replace(log, blocks=with_one(log.blocks, at, replace(block, **other)))


def remove_a_block(log: Log, chance: random.Random) -> Log:
    """With its entries or without them."""
    at = chance.randrange(len(log.blocks) - 1)
    gone = log.blocks[at]
    keep = chance.random() < 0.5
    inside = [e for e in log.entries if keep or not gone.from_xid <= e.transaction_id < gone.below_xid]
    return replace(log, blocks=[*log.blocks[:at], *log.blocks[at + 1 :]], entries=inside)


def change_an_anchor(log: Log, chance: random.Random) -> Log:
    at = chance.randrange(len(log.anchors))
    anchor = log.anchors[at]
    name = chance.choice(list(vars(anchor)))
    other: dict[str, Any] = {name: altered(getattr(anchor, name), chance)}
    return replace(log, anchors=with_one(log.anchors, at, replace(anchor, **other)))


def remove_an_anchor(log: Log, chance: random.Random) -> Log:
    at = chance.randrange(len(log.anchors))
    return replace(log, anchors=[*log.anchors[:at], *log.anchors[at + 1 :]])


def swap_two_anchors(log: Log, chance: random.Random) -> Log:
    one, other = chance.sample(range(len(log.anchors)), 2)
    anchors = list(log.anchors)
    anchors[one], anchors[other] = anchors[other], anchors[one]
    return replace(log, anchors=anchors)


def rewrite_history(log: Log, chance: random.Random) -> Log:
    """Whoever holds the whole database changes a deed and makes every block anew from there on, without a flaw."""
    at = chance.randrange(max(each.block_no for each in log.anchors))
    first = log.blocks[at]
    changed = [
        entry._replace(actor="staff:9")
        if first.from_xid <= entry.transaction_id < first.below_xid and entry.id == first.first_id
        else entry
        for entry in log.entries
    ]
    blocks = list(log.blocks[:at])
    for block in log.blocks[at:]:
        inside = [e for e in changed if block.from_xid <= e.transaction_id < block.below_xid]
        blocks.append(sealed(block.block_no, block.below_xid, inside, blocks))
    return replace(log, blocks=blocks, entries=changed)


TAMPERS: list[Tamper] = [
    change_a_field, remove_a_row, swap_two_rows, insert_a_row, cut_the_tail, change_a_block, remove_a_block,
    change_an_anchor, remove_an_anchor, swap_two_anchors, rewrite_history,
]  # fmt: skip


def test_a_log_as_it_was_sealed_has_no_fault() -> None:
    for seed in range(50):
        assert log_in_memory(random.Random(seed)).faults() == []


@pytest.mark.parametrize("tamper", TAMPERS, ids=lambda tamper: tamper.__name__)
def test_ten_thousand_random_tamperings_are_all_found(tamper: Tamper) -> None:
    chance = random.Random(tamper.__name__)
    logs = [log_in_memory(chance) for _ in range(20)]
    missed = 0
    for number in range(TAMPERINGS // len(TAMPERS) + 1):
        log = logs[number % len(logs)]
        spoilt = tamper(log, chance)
        missed += spoilt != log and not spoilt.faults()
    assert missed == 0


@pytest.mark.parametrize(
    ("tamper", "kind"), [(change_a_field, "row_changed"), (swap_two_rows, "row_changed"), (remove_a_row, "row_removed")]
)
def test_the_very_block_and_row_are_named(tamper: Tamper, kind: str) -> None:
    for seed in range(60):
        chance = random.Random(seed)
        log = log_in_memory(chance)
        spoilt = tamper(log, chance)
        before, after = ({each.id: each for each in rows} for rows in (log.entries, spoilt.entries))
        touched = {number for number in before if after.get(number) != before[number]}
        if any(number in after and after[number].transaction_id != before[number].transaction_id for number in touched):
            continue  # it lies where another block ends: that block is named as well
        if {entry.id for entry in spoilt.entries} - set(before) or len(after) < len(spoilt.entries):
            continue  # its number was changed: one is missing, another too many
        named = {(fault.kind, fault.block, fault.row) for fault in spoilt.faults()}
        assert named == {(kind, block_of(log, number), number) for number in touched}


def block_of(log: Log, number: int) -> int:
    xid = next(entry.transaction_id for entry in log.entries if entry.id == number)
    return next(block.block_no for block in log.blocks if block.from_xid <= xid < block.below_xid)


def test_a_block_that_agrees_with_itself_but_names_another_before_it_breaks_the_chain() -> None:
    for seed in range(20):
        log = log_in_memory(random.Random(seed))
        last = replace(log.blocks[-1], previous=bytes(32))
        spoilt = replace(log, blocks=[*log.blocks[:-1], replace(last, hash=last.true_hash)])
        assert ("chain_broken", last.block_no) in {(fault.kind, fault.block) for fault in spoilt.faults()}


def test_a_history_made_anew_fails_at_the_first_anchor_after_the_change() -> None:
    for seed in range(40):
        chance = random.Random(seed)
        log = log_in_memory(chance)
        spoilt = rewrite_history(log, chance)
        first = next(old.block_no for old, new in zip(log.blocks, spoilt.blocks, strict=True) if old != new)
        named = [fault for fault in spoilt.faults() if fault.kind == "anchor_differs"]
        assert named[0].block == min(each.block_no for each in log.anchors if each.block_no >= first)
        assert {fault.kind for fault in spoilt.faults()} == {"anchor_differs"}


def test_blocks_after_the_last_anchor_may_be_lost_only_until_the_next() -> None:
    """What no anchor names yet can be cut unnoticed: that is why one follows each sealing."""
    log = log_in_memory(random.Random(1), blocks=5)
    cut = replace(
        log, blocks=log.blocks[:4], entries=[e for e in log.entries if e.transaction_id < log.blocks[3].below_xid]
    )
    assert cut.faults() == []
    anchored = an_anchor(log.blocks[4], len(log.entries), log.anchors)
    kinds = {fault.kind for fault in replace(cut, anchors=[*log.anchors, anchored]).faults()}
    assert kinds == {"tail_cut"}


def test_each_kind_of_fault_has_its_words() -> None:
    chance = random.Random(7)
    found = {
        fault.kind
        for number in range(600)
        for fault in TAMPERS[number % len(TAMPERS)](log_in_memory(chance), chance).faults()
    }
    assert found | {"row_beyond", "anchors_unreadable"} == set(KINDS)


def test_an_anchor_is_read_from_paper_as_it_was_printed() -> None:
    log = log_in_memory(random.Random(3))
    block = log.blocks[-1]
    printed = printed_anchor(on_paper(block.block_no, block.hash).upper())
    assert (printed.block_no, printed.hash) == (block.block_no, block.hash)
    for wrong in ("", "12", "12: 4f", "x: " + "00" * 32, f"12: {'0g' * 32}"):
        with pytest.raises(ValueError, match=r"hexadecimal|invalid|anchor"):
            printed_anchor(wrong)
