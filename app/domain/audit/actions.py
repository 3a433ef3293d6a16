"""Sealing what was written, leaving the head of the chain outside, and proving from time to time that all is there."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text

from app.adapters.anchors import FIRST, Anchor, AnchorPlace, AnchorsUnreadable
from app.domain.audit.models import AuditAnchor, AuditCheck
from app.domain.audit.queries import (
    Proof,
    Standing,
    last_anchored,
    last_check,
    oldest_unsealed,
    proof_despite_unreadable,
    standing,
)
from app.domain.tasks.actions import open_task, settle_tasks
from app.kernel import clock
from app.kernel.db import transaction, unhurried
from app.kernel.queue import enqueue, is_asked

BLOCK: Final = 5_000
"""Entries of a block at most, but for those of one larger transaction."""
SEALED_WITHIN: Final = timedelta(hours=1)
SHOWN: Final = 20
BROKEN, UNSEALED, UNANCHORED = "audit_broken", "audit_not_sealed", "audit_not_anchored"
"""Kinds of tasks: the log is not what was sealed; it is not sealed, as when a transaction does not end; a place outside
of the database does not take its head, as when it is full."""
LOG: Final = ("audit_log", 0)

_SEAL = text("SELECT seal_audit(:moment, :at_most)")


def seal() -> int:
    """Close everything that no running transaction can still add to, block by block; returns how many entries.

    Several may seal at once: they queue at the database's lock, and each entry is sealed once. People hear first of
    what has waited for too long: whatever keeps it from being sealed may fail here again.
    """
    _watch(oldest_unsealed())
    sealed = 0
    while entries := _seal_one():
        sealed += entries
    return sealed


def _seal_one() -> int:
    """One block, which a large transaction fills as a whole: it takes as long as it must."""
    with transaction() as session:
        unhurried()
        return int(session.scalar(_SEAL, {"moment": clock.now(), "at_most": BLOCK}) or 0)


def _watch(oldest: datetime | None) -> None:
    if oldest is not None and oldest < clock.now() - SEALED_WITHIN:
        open_task(UNSEALED, *LOG)
    else:
        settle_tasks(UNSEALED, *LOG, "记录已封存")


def anchor(places: Sequence[AnchorPlace]) -> int:
    """Give the head's hash to every place that has not got it; returns to how many.

    Kept outside first and noted afterwards: after a crash in between the place has an anchor too many, which is true.
    Raises a group of `AnchorsUnreadable`, once every place has been tried; a task tells a person until all have it.
    """
    head = standing()
    return 0 if head is None else _everywhere(places, head)


def _everywhere(places: Sequence[AnchorPlace], head: Standing) -> int:
    given, failed = 0, []
    for place in places:
        try:
            given += _anchored(place, head)
        except AnchorsUnreadable as problem:
            failed.append(problem)
    _tell_of(failed)
    if failed:
        raise ExceptionGroup("places without the newest anchor", failed)
    return given


def _tell_of(failed: Sequence[AnchorsUnreadable]) -> None:
    if failed:
        open_task(UNANCHORED, *LOG, {"first": str(failed[0])})
    else:
        settle_tasks(UNANCHORED, *LOG, "各处均已留存")


def _anchored(place: AnchorPlace, head: Standing) -> bool:
    if last_anchored(place.name) >= head.block_no:
        return False
    before = place.last()
    given = Anchor(head.block_no, head.hash, head.entries, clock.now(), before.digest if before else FIRST)
    place.append(given)
    with transaction() as session:
        session.add(AuditAnchor(block_no=given.block_no, place=place.name, digest=given.digest, at=given.at))
    return True


def ask_for_check() -> int:
    """Have the log proved once a day, by a worker: it may take minutes. Returns whether today's was still to come.

    One proof at a time: a long one is not asked for again while it lasts.
    """
    with transaction():
        last = last_check()
        if standing() is None or is_asked("audit.check"):
            return 0
        if last is not None and clock.business_day(last.at) >= clock.business_day(clock.now()):
            return 0
        enqueue("audit.check")
        return 1


def check(places: Sequence[AnchorPlace]) -> Proof:
    """Prove the whole log, write down what was found, and alarm people when it is not what was sealed.

    A place that cannot be read is a fault like others, and the rest is proved without it.
    """
    found = proof_despite_unreadable(places)
    with transaction() as session:
        told = [asdict(fault) for fault in found.faults[:SHOWN]]
        session.add(
            AuditCheck(at=clock.now(), blocks=found.blocks, entries=found.entries, faults=len(found.faults), found=told)
        )
        if found.faults:
            open_task(BROKEN, *LOG, {"faults": len(found.faults), "first": told[0]})
    return found
