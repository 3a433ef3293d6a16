"""Cars passed gates: what that means for stays. Run twice, it means the same."""

import logging
from collections.abc import Sequence
from typing import Final

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import OperationalError

from app.domain.claims import actions as claims
from app.domain.gates.queries import Passage, passages
from app.domain.lots.queries import place_of
from app.domain.stays.actions.likeness import alike_inside, note_misreading
from app.domain.stays.actions.take import take, told_by
from app.domain.stays.models import PassageOutcome
from app.domain.stays.queries import unprojected
from app.domain.stays.rules.likeness import SETTLES_ALONE
from app.domain.stays.rules.visits import Passed
from app.domain.tasks.actions import open_task
from app.kernel import clock
from app.kernel.db import affected, current, transaction
from app.kernel.queue import enqueue

AT_ONCE: Final = 60
"""Events, of some twenty cars: they take less than the seconds that a gate waits for an answer."""

log = logging.getLogger("app.stays")


def project(event_ids: Sequence[int]) -> None:
    """Open and close stays as these events tell, in the order of their corrected times.

    Only `passed` moves a stay; what cannot be understood becomes a task, never a fee. One passage that fails keeps
    no other waiting: it is parked for a person, unless the database itself failed, which passes.
    """
    for passage in passages(event_ids):
        if passage.type == "passed":
            _project_alone(passage)
        elif passage.verified and (trouble := _unexplained(passage)):
            open_task(trouble, "gate_event", passage.id, place=place_of(passage.lot_id))


def project_backlog(event_ids: Sequence[int]) -> None:
    """The same for what a gate tells at once, however much that is.

    Of a few events the gate learns that they are understood. It need not wait for those of a whole outage: they are
    written down, and a job goes on with them, the oldest first.
    """
    if len(event_ids) <= AT_ONCE:
        project(event_ids)
        return
    told = passages(event_ids)
    project([passage.id for passage in told if passage.type != "passed"])
    with transaction():
        enqueue("stays.project_forgotten")


def project_forgotten(limit: int = 100) -> int:
    """Project what was stored and then forgotten by a crash; returns how many."""
    forgotten = unprojected(limit)
    project(forgotten)
    return len(forgotten)


def _project_alone(passage: Passage) -> None:
    try:
        _project_once(passage)
    except OperationalError:
        raise
    except Exception as failure:  # whatever it is, the cars behind this one must not wait for it
        log.exception("passage_failed", extra={"event_id": passage.id})
        _park(passage, failure)


def _park(passage: Passage, failure: Exception) -> None:
    with transaction():
        row = insert(PassageOutcome).values(event_id=passage.id, outcome="review", projected_at=clock.now())
        current().execute(row.on_conflict_do_nothing())
        open_task(
            "passage_failed",
            "gate_event",
            passage.id,
            {"error": type(failure).__name__},
            place=place_of(passage.lot_id),
        )


def _project_once(passage: Passage) -> None:
    """The plate is locked first, so that its entry and exit, told at the same instant, cannot miss each other.

    Then the outcome's row: a rival with the same event finds it and has nothing to do.
    """
    with transaction():
        claims.lock_plate(passage.plate_id)
        first = insert(PassageOutcome).values(event_id=passage.id, outcome="review", projected_at=clock.now())
        if affected(first.on_conflict_do_nothing()) == 0:
            return
        if not _understood(passage):
            _ask_a_person(passage)
        if passage.clock_suspect:
            open_task("passage_with_a_suspect_clock", "gate_event", passage.id, place=place_of(passage.lot_id))
        enqueue("gates.refresh_whitelist", lot_id=passage.lot_id)


def _ask_a_person(passage: Passage) -> None:
    """The task names the event: `stays passage` shows the plate as it was read and the pictures' reference."""
    open_task(_trouble(passage), "gate_event", passage.id, place=place_of(passage.lot_id))


def _trouble(passage: Passage) -> str:
    told = passage.direction or "somewhere"
    return f"passage_{told}_not_{'understood' if passage.verified else 'verified'}"


def _understood(passage: Passage) -> bool:
    """What anybody could have sent moves no stay: a person looks at it first."""
    told = told_by(passage)
    if told is None or passage.plate_id is None:
        return False
    return take(passage.lot_id, passage.plate_id, told) or _taken_for_another(passage, told)


def _taken_for_another(passage: Passage, told: Passed) -> bool:
    """A car drives out under a plate that nobody has inside, and there is just one like it."""
    meant = alike_inside(passage) if told.direction == "out" else None
    if meant is None or meant.stay.plate_id is None or not take(passage.lot_id, meant.stay.plate_id, told):
        return False
    note_misreading(passage.id, meant)
    if meant.distance > SETTLES_ALONE:
        detail = {"distance": meant.distance, "stay": meant.stay.id}
        open_task("exit_matched_by_likeness", "gate_event", passage.id, detail, place=place_of(passage.lot_id))
    return True


def _unexplained(event: Passage) -> str | None:
    """What a person must look at though no stay moves: a car behind another, an arm raised by hand without a reason."""
    if event.type == "tailgate":
        return "car_followed_without_opening"
    return "manual_lift_without_reason" if event.type == "manual_open" and not event.reason_told else None
