"""What can be asked about motorists. Never writes."""

import json
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ARRAY, LargeBinary, ScalarSelect, Uuid, any_, bindparam, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from app.domain.motorists.models import AgreementSignature, AgreementVersion, Motorist, NumberPlate, Vehicle
from app.domain.motorists.plates import Plate, PlateColour, PlateKind
from app.kernel import clock, crypto
from app.kernel.db import transaction
from app.kernel.prepared import Prepared
from app.kernel.refusals import NotAllowed, NotFound, Unauthenticated, Unavailable


class VehicleNotFound(NotFound):
    """No such vehicle on this account."""

    code = "vehicle_not_found"
    message = "未找到该车辆"


class AccountErased(Unauthenticated):
    """The account was erased, perhaps this very moment: it does nothing more."""

    code = "account_erased"
    message = "账号已注销"


class AgreementNotSigned(NotAllowed):
    """The motorist has not signed the agreement in force (notice N4.8)."""

    code = "agreement_not_signed"
    message = "请先阅读并签署车主服务协议"


class NoAgreementInForce(Unavailable):
    """The city has not published an agreement yet, so nobody can sign one."""

    code = "no_agreement_in_force"
    message = "服务协议尚未发布，请稍后再试"


@dataclass(frozen=True)
class VehicleView:
    """A vehicle as its owner sees it, plate in the clear."""

    key: uuid.UUID
    plate: str = field(repr=False)
    colour: str
    kind: str
    added_at: datetime


def motorist_of(motorist_id: int) -> Motorist:
    """The motorist's row."""
    with transaction() as session:
        return session.get_one(Motorist, motorist_id)


def signed_in_id(motorist_key: uuid.UUID, session_version: int) -> int | None:
    """The id of a motorist whose sign-ins have not been ended since the token with this version was issued.

    The transaction's moment is brought along.
    """
    with transaction():
        row = _SIGNED_IN.first(motorist_key=motorist_key, version=session_version)
        if row is None:
            return None
        clock.brought(row.at)
        return int(row.id)


CALLER: Final = "motorist:"
"""Before a motorist's id, where a request's key says whose it is."""

SESSION: Final = select(Motorist.id, func.clock_timestamp().label("at")).where(
    Motorist.key == bindparam("motorist_key"), Motorist.session_version == bindparam("version")
)
"""Whose sign-in it is, and the moment."""
_SIGNED_IN: Final = Prepared(SESSION)

SIGNED_IN: Final = select(Motorist.key, Motorist.session_version, Motorist.id).where(
    Motorist.key == func.any(bindparam("keys", type_=ARRAY(Uuid)))
)
"""For whoever asks for several at once, by `keys`: the version whose tokens are good, and the id."""


def openid_of(motorist_id: int) -> str:
    """The motorist's openid, for the payer of an order; never for logs or answers. Refuses `AccountErased`."""
    motorist = motorist_of(motorist_id)
    if motorist.openid_enc is None:
        raise AccountErased
    return crypto.unseal(motorist.openid_enc, f"motorist.openid:{motorist.key}")


def agreement_in_force() -> AgreementVersion:
    """The latest published text whose day has come; refuses `NoAgreementInForce`."""
    with transaction() as session:
        agreement = session.scalars(
            select(AgreementVersion)
            .where(AgreementVersion.in_force_from <= clock.now())
            .order_by(AgreementVersion.in_force_from.desc(), AgreementVersion.id.desc())
            .limit(1)
        ).one_or_none()
    if agreement is None:
        raise NoAgreementInForce
    return agreement


def agreement_signed(motorist_id: int) -> AgreementSignature:
    """The motorist's signature under the agreement in force; refuses `AgreementNotSigned`."""
    with transaction() as session:
        version = agreement_in_force().version
        wanted = select(AgreementSignature).filter_by(motorist_id=motorist_id, version=version)
        signature = session.scalars(wanted).one_or_none()
    if signature is None:
        raise AgreementNotSigned(version=version)
    return signature


def device_of(signature: AgreementSignature) -> dict[str, Any]:
    """Where a signature was made, when somebody disputes it."""
    told = crypto.unseal(signature.device_enc, f"agreement_signature.device:{signature.key}")
    device: dict[str, Any] = json.loads(told)
    return device


def has_signed(motorist_id: int) -> bool:
    """Whether the agreement in force bears the motorist's signature."""
    try:
        agreement_signed(motorist_id)
    except AgreementNotSigned:
        return False
    return True


def vehicles_of(motorist_id: int) -> Sequence[VehicleView]:
    """The vehicles on an account, the oldest first."""
    with transaction() as session:
        rows = session.execute(
            select(Vehicle, NumberPlate)
            .join(NumberPlate, NumberPlate.id == Vehicle.plate_id)
            .where(Vehicle.motorist_id == motorist_id, Vehicle.removed_at.is_(None))
            .order_by(Vehicle.id)
        )
        return [vehicle_view(vehicle, plate) for vehicle, plate in rows]


def vehicle_of(motorist_id: int, vehicle_key: uuid.UUID) -> Vehicle:
    """A vehicle by its key, when it is on this account now; refuses `VehicleNotFound`."""
    with transaction() as session:
        wanted = select(Vehicle).filter_by(motorist_id=motorist_id, key=vehicle_key, removed_at=None)
        vehicle = session.scalars(wanted).one_or_none()
    if vehicle is None:
        raise VehicleNotFound
    return vehicle


def sole_plate(motorist_id: int) -> int | None:
    """The plate of an account that has just one vehicle now."""
    with transaction() as session:
        wanted = select(Vehicle.plate_id).filter_by(motorist_id=motorist_id, removed_at=None).limit(2)
        plates = session.scalars(wanted).all()
    return plates[0] if len(plates) == 1 else None


def vehicle_view(vehicle: Vehicle, plate: NumberPlate) -> VehicleView:
    """A vehicle with its plate unsealed."""
    return VehicleView(vehicle.key, plate_characters(plate), plate.colour, plate.kind, vehicle.added_at)


def plate_characters(plate: NumberPlate) -> str:
    """The characters of a plate: for its owner and for gates, never for logs."""
    return characters_of(plate.key, plate.value_enc)


def characters_of(plate_key: uuid.UUID, value_enc: bytes) -> str:
    """The same of a plate whose columns were read."""
    return crypto.unseal(value_enc, f"plate.value:{plate_key}")


def characters_index(characters: str) -> bytes:
    """Where the plates of all colours with these characters are found."""
    return crypto.blind_index("plate.characters", characters)


Fitting = Mapping[Plate, Mapping[int, str]]
"""For each plate that was read the id and colour of those kept that may be it."""


def plates_fitting(read: Collection[Plate]) -> Fitting:
    """What may be meant by each: `other`, on either side, fits every colour."""
    if not read:
        return {}
    index = indices_of(read)
    with transaction():
        return fitting_among(index, _ALIKE.one(indices=list(index.values()))[0])


def indices_of(read: Collection[Plate]) -> dict[Plate, bytes]:
    """Where those are found that may be meant by each."""
    return {plate: characters_index(plate.characters) for plate in read}


def alike() -> ScalarSelect[Any]:
    """A column of a statement that is told `indices`: the plates kept there, for `fitting_among`."""
    each = func.json_build_array(NumberPlate.id, NumberPlate.colour, func.encode(NumberPlate.characters_bidx, "hex"))
    found = func.json_agg(aggregate_order_by(each, NumberPlate.id))
    there = NumberPlate.characters_bidx == any_(bindparam("indices", type_=ARRAY(LargeBinary)))
    return select(found).where(there).scalar_subquery()


_ALIKE: Final = Prepared(select(alike()))


def fitting_among(index: Mapping[Plate, bytes], told: Sequence[tuple[int, str, str]] | None) -> Fitting:
    """The same as `plates_fitting` of the plates of an `index`, out of what `alike` told of it."""
    rows = [(bytes.fromhex(there), row, colour) for row, colour, there in told or ()]
    return {
        plate: {row: colour for there, row, colour in rows if there == wanted and _fit(plate, colour)}
        for plate, wanted in index.items()
    }


def _fit(plate: Plate, colour: str) -> bool:
    return PlateColour.OTHER in {plate.colour, colour} or plate.colour == colour


def plates(plate_ids: Iterable[int]) -> dict[int, Plate]:
    """The plates behind these ids, unsealed."""
    with transaction() as session:
        rows = session.scalars(select(NumberPlate).where(NumberPlate.id.in_(list(plate_ids))))
        return {row.id: _unsealed(row) for row in rows}


def _unsealed(row: NumberPlate) -> Plate:
    return Plate(plate_characters(row), PlateColour(row.colour), PlateKind(row.kind))
