"""Who a motorist was is forgotten: openid, phone, plates, sign-ins. What stays is a number that names nobody."""

import os
from collections.abc import Collection

from sqlalchemy import delete, select, update

from app.domain.motorists.models import Motorist, NumberPlate, RefreshToken, SignIn, Vehicle
from app.domain.motorists.queries import AccountErased
from app.kernel import clock, crypto
from app.kernel.db import current, transaction
from app.kernel.ids import new_key

ERASED = "已注销"
"""What a plate says when nobody may know it any more."""


def lock_for_erasure(motorist_id: int) -> Motorist:
    """The motorist, and nobody else's: what they do at this moment is done before, or waits and is refused.

    Sign-ins are locked before their motorist, everywhere. Refuses `AccountErased`.
    """
    with transaction() as session:
        session.execute(select(SignIn.id).filter_by(motorist_id=motorist_id).order_by(SignIn.id).with_for_update())
        mine = select(Motorist).filter_by(id=motorist_id).with_for_update().execution_options(populate_existing=True)
        motorist = session.scalars(mine).one()
        if motorist.erased_at is not None:
            raise AccountErased
        return motorist


def own_plates(motorist_id: int) -> list[int]:
    """Take every vehicle off the account; ids of the plates that it ever had, each locked, in order."""
    with transaction() as session:
        session.execute(
            update(Vehicle).where(Vehicle.motorist_id == motorist_id, Vehicle.removed_at.is_(None))
            .values(removed_at=clock.now())
        )  # fmt: skip
        had = select(Vehicle.plate_id).filter_by(motorist_id=motorist_id)
        return lock_plates(session.scalars(had).all())


def lock_plates(ids: Collection[int]) -> list[int]:
    """Those of them that are not erased, each locked, in order."""
    with transaction() as session:
        known = select(NumberPlate.id).where(NumberPlate.id.in_(ids), NumberPlate.erased_at.is_(None))
        return list(session.scalars(known.order_by(NumberPlate.id).with_for_update()))


def erase_plate(plate_id: int) -> None:
    """Forget a plate that is nobody else's and that nothing under way needs: a trigger holds both."""
    with transaction() as session:
        plate = session.get_one(NumberPlate, plate_id)
        plate.bidx, plate.characters_bidx, plate.value_enc = _nothing(plate)
        plate.erased_at = clock.now()
        session.flush()


def leave_plate(motorist_id: int, plate_id: int) -> None:
    """Unlink the account's vehicles from a plate that others have or that is in use: theirs names none."""
    with transaction() as session:
        plate = session.get_one(NumberPlate, plate_id)
        blank = NumberPlate(key=new_key(), colour=plate.colour, kind=plate.kind, erased_at=clock.now())
        blank.bidx, blank.characters_bidx, blank.value_enc = _nothing(blank)
        session.add(blank)
        session.flush()
        mine = update(Vehicle).where(Vehicle.motorist_id == motorist_id, Vehicle.plate_id == plate_id)
        session.execute(mine.values(plate_id=blank.id))


def erase_identity(motorist: Motorist) -> None:
    """End every sign-in of a locked motorist, and forget openid and phone for good."""
    now = clock.now()
    mine = select(SignIn.id).filter_by(motorist_id=motorist.id)
    current().execute(delete(RefreshToken).where(RefreshToken.sign_in_id.in_(mine)))
    ended = update(SignIn).where(SignIn.motorist_id == motorist.id, SignIn.revoked_at.is_(None))
    current().execute(ended.values(revoked_at=now, revoked_because="erased"))
    motorist.openid_bidx = motorist.openid_enc = motorist.phone_bidx = motorist.phone_enc = None
    motorist.session_version += 1
    motorist.erased_at = now
    current().flush()


def _nothing(plate: NumberPlate) -> tuple[bytes, bytes, bytes]:
    return os.urandom(16), os.urandom(16), crypto.seal(ERASED, f"plate.value:{plate.key}")
