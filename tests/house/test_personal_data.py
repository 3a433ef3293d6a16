"""A canary: after a whole visit no plate and no openid lies readable in any table, job or audit row."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg import sql

from app.domain.motorists.queries import openid_of
from app.domain.reservations.actions import reserve
from app.domain.stays.actions import open_payment
from tests.world import ask, drive, driver, gate, open_lot, parked_stay


def test_nothing_personal_lies_readable_in_the_database(
    evening: datetime, admin: psycopg.Connection[Any], at: Callable[[datetime], None]
) -> None:
    who, lot = driver(), open_lot()
    openid = openid_of(who.id)
    later = evening + timedelta(hours=5)
    reserve(who.id, who.vehicle_key, lot.key, later, later + timedelta(hours=1))
    stay = parked_stay(who, gate(lot))
    at(evening + timedelta(minutes=30))
    open_payment(who.id, stay.key)
    ask(gate(lot, "out"), who.plate)
    drive(gate(lot, "out"), who.plate)
    for table, row in every_row(admin):
        assert who.plate.characters not in row, table
        assert who.plate.characters[1:] not in row, table
        assert openid not in row, table
        assert openid.encode().hex() not in row, table
        assert who.plate.characters.encode().hex() not in row, table


def every_row(admin: psycopg.Connection[Any]) -> list[tuple[str, str]]:
    names = admin.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    query = sql.SQL("SELECT t::text FROM {} t")
    return [(name, row) for (name,) in names for (row,) in admin.execute(query.format(sql.Identifier(name))).fetchall()]
