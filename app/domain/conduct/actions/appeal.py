"""A motorist objects to a measure."""

import uuid

from sqlalchemy import select

from app.domain.conduct.models import Appeal, Measure
from app.domain.conduct.rules import APPEAL_WITHIN, AlreadyAppealed, AppealTooLate, MeasureNotFound, said, words_place
from app.domain.tasks.actions import open_task
from app.kernel import clock
from app.kernel.crypto import seal
from app.kernel.db import refusing, transaction
from app.kernel.ids import new_key


def appeal(motorist_id: int, measure_key: uuid.UUID, words: str) -> Appeal:
    """Object to a measure, once, within 15 days of its beginning, also when it is over; a person decides.

    The words are sealed, for they may hold anything. Refuses `MeasureNotFound`, `AppealTooLate`, `AlreadyAppealed`,
    `WordsMissing`.
    """
    with transaction() as session:
        measure = session.scalars(select(Measure).filter_by(key=measure_key, motorist_id=motorist_id)).one_or_none()
        if measure is None:
            raise MeasureNotFound
        now, key = clock.now(), new_key()
        if now >= measure.began_at + APPEAL_WITHIN:
            raise AppealTooLate
        with refusing({"a_measure_is_appealed_against_once": AlreadyAppealed}):
            made = Appeal(
                key=key, measure_id=measure.id, motorist_id=motorist_id, began_at=measure.began_at, made_at=now,
                words_enc=seal(said(words), words_place(key)),
            )  # fmt: skip
            session.add(made)
        open_task("appeal_to_decide", "appeal", made.id, due_at=now + APPEAL_WITHIN)
        return made
