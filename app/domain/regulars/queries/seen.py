"""Rounds as staff see them: nothing of the motorists."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, Select, case, func, select

from app.domain.lots.models import Lot
from app.domain.lots.queries.places import within
from app.domain.regulars.models import RegularApplication, RegularNight, RegularRound
from app.domain.regulars.queries import tickets
from app.domain.regulars.rules.draw import faults
from app.domain.regulars.rules.nights import ends
from app.domain.regulars.rules.refusals import NotDrawn
from app.domain.staff.rules import Actor, reach
from app.kernel.db import transaction
from app.kernel.refusals import NotFound

PAGE = 200


@dataclass(frozen=True)
class SeenRound:
    """A round, and how many of its applications are in which state; `secret` once it was drawn."""

    key: uuid.UUID
    lot: str
    state: str
    first: date
    last: date
    places: int
    opens_at: datetime
    closes_at: datetime
    draw_at: datetime
    commitment: str
    secret: str | None
    drawn_at: datetime | None
    cancelled_because: str | None
    applied: int
    won: int
    waiting: int


def rounds(by: Actor, lot_id: int | None = None, limit: int = PAGE) -> list[SeenRound]:
    """Rounds within this person's reach, newest first. Refuses `NotPermitted`."""
    with transaction() as session:
        query = _seen().where(within(reach(by, "regulars.see"))).order_by(RegularRound.id.desc()).limit(limit)
        if lot_id is not None:
            query = query.where(RegularRound.lot_id == lot_id)
        return [_view(row) for row in session.execute(query)]


def _seen() -> Select[RegularRound, str, int, int, int]:
    return (
        select(
            RegularRound, Lot.name, _count("applied"), _count("won"), _count("waiting"),
        )
        .join(Lot, Lot.id == RegularRound.lot_id)
        .outerjoin(RegularApplication, RegularApplication.round_id == RegularRound.id)
        .group_by(RegularRound.id, Lot.name)
    )  # fmt: skip


def _count(state: str) -> Any:
    return func.count(case((RegularApplication.state == state, 1)))


def _view(row: Row[RegularRound, str, int, int, int]) -> SeenRound:
    one, lot, applied, won, waiting = row
    first, last = ends(one.nights)
    return SeenRound(
        one.key, lot, one.state, first, last, one.places, one.opens_at, one.closes_at, one.draw_at, one.commitment,
        one.secret, one.drawn_at, one.cancelled_because, applied, won, waiting,
    )  # fmt: skip


def _own_round(by: Actor, key: uuid.UUID) -> RegularRound:
    seen = (
        select(RegularRound)
        .join(Lot, Lot.id == RegularRound.lot_id)
        .where(within(reach(by, "regulars.see")), RegularRound.key == key)
    )
    with transaction() as session:
        row = session.scalars(seen).one_or_none()
    if row is None:
        raise NotFound
    return row


@dataclass(frozen=True)
class SeenApplication:
    """An application as staff see it, with how many nights it has, and how many could not be had."""

    key: uuid.UUID
    state: str
    rank: int | None
    place: int | None
    applied_at: datetime
    ticket: str | None
    nights: int
    refused: int


def applications(by: Actor, round_key: uuid.UUID) -> list[SeenApplication]:
    """The applications of a round within this person's reach, by rank. Refuses `NotFound`, `NotPermitted`."""
    with transaction() as session:
        one = _own_round(by, round_key)
        rows = session.execute(
            select(
                RegularApplication.key, RegularApplication.state, RegularApplication.rank, RegularApplication.place,
                RegularApplication.applied_at, RegularApplication.ticket, func.count(RegularNight.reservation_id),
                func.count(RegularNight.refusal),
            )
            .outerjoin(RegularNight, RegularNight.application_id == RegularApplication.id)
            .where(RegularApplication.round_id == one.id)
            .group_by(RegularApplication.id)
            .order_by(RegularApplication.rank, RegularApplication.id)
        )  # fmt: skip
        return [SeenApplication(*row) for row in rows]


@dataclass(frozen=True)
class Verified:
    """What came of making a draw again: the faults found, none when it is as was committed."""

    commitment: str
    secret: str
    applications: int
    faults: list[str]


def verify(by: Actor, round_key: uuid.UUID) -> Verified:
    """Make the draw of a round again from what is published. Refuses `NotFound`, `NotPermitted`, `NotDrawn`."""
    with transaction():
        one = _own_round(by, round_key)
        if one.secret is None:
            raise NotDrawn
        told = tickets(one.id)
        return Verified(one.commitment, one.secret, len(told), faults(one.commitment, one.secret, told))
