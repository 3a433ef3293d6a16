"""The vehicles a motorist drives."""

import uuid
from collections.abc import Collection
from operator import itemgetter
from typing import Any, Final, cast

from sqlalchemy import ARRAY, ColumnElement, LargeBinary, Table, any_, bindparam, func, select, text
from sqlalchemy.dialects.postgresql import insert

from app.domain.motorists.models import Motorist, NumberPlate, Vehicle
from app.domain.motorists.plates import Plate, read_plate
from app.domain.motorists.queries import VehicleView, characters_index, vehicle_of, vehicle_view
from app.domain.tasks.actions import open_task
from app.kernel import clock, crypto
from app.kernel.db import current, transaction
from app.kernel.ids import new_key
from app.kernel.prepared import Prepared, told_rows
from app.kernel.refusals import Conflict

MAX_VEHICLES = 10


class TooManyVehicles(Conflict):
    """An account holds no more vehicles than a household drives."""

    code = "too_many_vehicles"
    message = "每个账号最多添加 10 辆车"


def add_vehicle(motorist_id: int, raw_plate: str, colour: str) -> VehicleView:
    """Add a plate to an account; adding it again gives the same vehicle.

    A plate that another account drives too is accepted and shown to a person: families share cars, thieves share
    plates, and neither side learns of the other. Refuses a plate that cannot be one, and `TooManyVehicles`.
    """
    plate = read_plate(raw_plate, colour)
    with transaction():
        _lock_account(motorist_id)
        row = _kept_plate(plate)
        vehicle = _added(motorist_id, row)
        _show_if_shared(row)
        return vehicle_view(vehicle, row)


def _kept_plate(plate: Plate) -> NumberPlate:
    """The plate's row, locked, so that an account which has it erased is done before or waits.

    Where that was done just now, another row is the plate's. A trigger holds it: `a_vehicle_has_a_known_plate`.
    """
    known = select(NumberPlate).with_for_update(key_share=True)
    row = current().scalars(known.filter_by(id=remember_plate(plate))).one()
    return row if row.erased_at is None else current().scalars(known.filter_by(id=remember_plate(plate))).one()


def remove_vehicle(motorist_id: int, vehicle_key: uuid.UUID) -> None:
    """Take a vehicle off an account; what it did stays on record. Refuses `VehicleNotFound`."""
    with transaction():
        vehicle_of(motorist_id, vehicle_key).removed_at = clock.now()


def remember_plate(plate: Plate) -> int:
    """The id of the city's one row for a plate, made when there is none."""
    return remember_plates([plate])[plate]


def remember_plates(plates: Collection[Plate]) -> dict[Plate, int]:
    """The same for several. They are written in one order, so that two who bring the same ones do not dead-lock."""
    index = {crypto.blind_index("plate", f"{plate.colour}:{plate.characters}"): plate for plate in plates}
    if not index:
        return {}
    new = [_row(bidx, plate) for bidx, plate in sorted(index.items(), key=itemgetter(0))]
    with transaction():
        _NEW_PLATES.run(**{name: [row[name] for row in new] for name in _WRITTEN})
        return {index[row.bidx]: row.id for row in _KEPT_PLATES.all(indices=list(index))}


_PLATES: Final = cast("Table", NumberPlate.__table__)
_WRITTEN: Final = ("key", "bidx", "characters_bidx", "value_enc", "colour", "kind")
_NEW_PLATES: Final = Prepared(
    insert(_PLATES)
    .from_select(_WRITTEN, told_rows(_PLATES, _WRITTEN))
    .on_conflict_do_nothing(constraint="a_plate_is_kept_once")
)
_KEPT_PLATES: Final = Prepared(
    select(NumberPlate.bidx, NumberPlate.id).where(
        NumberPlate.bidx == any_(bindparam("indices", type_=ARRAY(LargeBinary)))
    )
)


def _lock_account(motorist_id: int) -> None:
    """Vehicles of one account are counted one after the other; rows that only refer to the account do not wait."""
    current().execute(select(Motorist.id).filter_by(id=motorist_id).with_for_update(key_share=True))


def _row(index: bytes, plate: Plate) -> dict[str, Any]:
    key = new_key()
    return {
        "key": key, "bidx": index, "characters_bidx": characters_index(plate.characters),
        "value_enc": crypto.seal(plate.characters, f"plate.value:{key}"), "colour": plate.colour, "kind": plate.kind,
    }  # fmt: skip


def _added(motorist_id: int, plate: NumberPlate) -> Vehicle:
    current().execute(
        insert(Vehicle)
        .values(key=new_key(), motorist_id=motorist_id, plate_id=plate.id, added_at=clock.now())
        .on_conflict_do_nothing(index_elements=["motorist_id", "plate_id"], index_where=text("removed_at IS NULL"))
    )
    if _count(Vehicle.motorist_id == motorist_id) > MAX_VEHICLES:
        raise TooManyVehicles
    return current().scalars(
        select(Vehicle).filter_by(motorist_id=motorist_id, plate_id=plate.id, removed_at=None)
    ).one()  # fmt: skip


def _show_if_shared(plate: NumberPlate) -> None:
    """Counted under the plate's lock: of two accounts that add it at once, the second sees the first.

    A plate lies in no district and at no unit: people of the whole city look at it.
    """
    current().execute(select(NumberPlate.id).filter_by(id=plate.id).with_for_update(key_share=True))
    accounts = _count(Vehicle.plate_id == plate.id)
    if accounts > 1:
        open_task("plate_on_two_accounts", "plate", plate.id, {"accounts": accounts})


def _count(whose: ColumnElement[bool]) -> int:
    live = select(func.count()).select_from(Vehicle).where(whose, Vehicle.removed_at.is_(None))
    return current().scalar(live) or 0
