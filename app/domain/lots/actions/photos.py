"""Photos of a lot, as motorists see it."""

import uuid

from sqlalchemy import select

from app.domain.lots.actions.steps import lock_lot
from app.domain.lots.models import LotPhoto
from app.domain.lots.queries.places import place_of
from app.domain.staff.rules import Actor, permit
from app.kernel import audit, clock
from app.kernel.db import transaction
from app.kernel.files import FileRefused, Paper, keep
from app.kernel.refusals import NotFound


def add_photo(by: Actor, lot_key: uuid.UUID, photo: Paper, caption: str = "") -> LotPhoto:
    """Keep a photo of a lot. Refuses `NotFound`, and `FileRefused` for what is no picture."""
    with transaction() as session:
        lot = lock_lot(lot_key)
        permit(by, "lots.change", place_of(lot.id))
        kept = keep(photo, by.account_id)
        if not kept.media_type.startswith("image/"):
            raise FileRefused
        row = LotPhoto(lot_id=lot.id, file_id=kept.id, caption=caption.strip(), added_at=clock.now())
        session.add(row)
        session.flush()
        audit.record("lots.add_photo", "lot", lot.id, by.label, {"photo_id": row.id})
        return row


def remove_photo(by: Actor, lot_key: uuid.UUID, photo_id: int) -> None:
    """Show a photo no longer; it stays on record. Removing it twice changes nothing. Refuses `NotFound`."""
    with transaction() as session:
        lot = lock_lot(lot_key)
        permit(by, "lots.change", place_of(lot.id))
        row = session.scalar(select(LotPhoto).where(LotPhoto.id == photo_id, LotPhoto.lot_id == lot.id))
        if row is None:
            raise NotFound
        if row.removed_at is None:
            row.removed_at = clock.now()
            audit.record("lots.remove_photo", "lot", lot.id, by.label, {"photo_id": row.id})
