"""Telling the city what is due: the try is written down, then made, then its answer is written down.

Killed at any point, the upload is still due and is sent again under the same number, which the city takes once.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from app.adapters.city import Accepted, Barred, CitySystem, Outcome, Record, Refused, Unknown
from app.domain.city_feed.actions.line import locked_line, may_try, note_heard, note_unheard
from app.domain.city_feed.models import CityLot, CityUpload
from app.domain.city_feed.queries import next_due, record_of
from app.domain.city_feed.rules import LONGEST_PAUSE, UPLOAD, pause
from app.domain.tasks.actions import open_task
from app.kernel import clock
from app.kernel.db import current, savepoint, transaction
from app.kernel.faults import fault_point

log = logging.getLogger("app.city_feed")
LEASE: Final = timedelta(minutes=1)
CAUSE: Final = "city"


@dataclass(frozen=True)
class _Letter:
    upload_id: int
    record: Record | None


def _never() -> bool:
    return False


def send_due(city: CitySystem, limit: int = 200, enough: Callable[[], bool] = _never) -> int:
    """Tell the city up to `limit` due uploads, the oldest first, until `enough()`; returns how many were tried.

    Outside any transaction. Several may run at once. The round ends with the first one that the city does not answer.
    """
    tried = 0
    while tried < limit and not enough() and (letter := _lease()) is not None:
        if letter.record is None:
            continue
        tried += 1
        fault_point("city_feed.before_call")
        outcome = city.upload(letter.record)
        fault_point("city_feed.after_call")
        if not _write_down(letter.upload_id, outcome):
            break
    return tried


def _lease() -> _Letter | None:
    """Claim the upload whose turn it is; what may not be said is withheld, with nothing to send."""
    with transaction():
        if not may_try(locked_line()):
            return None
        now = clock.now()
        upload = next_due(now)
        if upload is None:
            return None
        return _Letter(upload.id, _taken_up(upload))


def _taken_up(upload: CityUpload) -> Record | None:
    """The record to send, its try written down. One that cannot be put together waits for a person, alone."""
    now = clock.now()
    try:
        with savepoint():
            record = record_of(upload, now)
    except OperationalError:
        raise
    except Exception as failure:  # whatever it is, the other lots must not wait for it
        log.exception("city_upload_failed", extra={"upload_id": upload.id})
        upload.next_check_at = now + LONGEST_PAUSE
        open_task("city_upload_failed", "city_upload", upload.id, {"error": type(failure).__name__})
        return None
    if record is None:
        UPLOAD.move(upload, "withhold", CAUSE, ended_at=now)
        return None
    upload.attempts += 1
    upload.next_check_at = now + LEASE
    return record


def _write_down(upload_id: int, outcome: Outcome) -> bool:
    """Write down what came of a try; whether the city answered us."""
    with transaction() as session:
        line = locked_line()
        upload = session.scalars(select(CityUpload).where(CityUpload.id == upload_id).with_for_update()).one()
        if isinstance(outcome, Unknown | Barred):
            note_unheard(line, outcome)
            if upload.state == "due":
                _postpone(upload, outcome)
            return False
        note_heard(line)
        if upload.state == "due":
            _end(upload, outcome)
        return True


def _postpone(upload: CityUpload, outcome: Unknown | Barred) -> None:
    upload.next_check_at = clock.now() + pause(upload.attempts)
    upload.last_code = outcome.code if isinstance(outcome, Barred) else None


def _end(upload: CityUpload, outcome: Accepted | Refused) -> None:
    now = clock.now()
    if isinstance(outcome, Refused):
        UPLOAD.move(upload, "refuse", CAUSE, ended_at=now, last_code=outcome.code)
        open_task("city_upload_refused", "city_upload", upload.id, {"code": outcome.code})
        return
    UPLOAD.move(upload, "accept", CAUSE, ended_at=now, last_code=None)
    if upload.kind == "lot":
        _know(current().get_one(CityLot, upload.lot_id))


def _know(lot: CityLot) -> None:
    if lot.known_at is None:
        lot.known_at = lot.pulse_at = clock.now()
