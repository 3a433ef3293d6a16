"""A city of realistic size: 50 lots with 2,000 bays, 100,000 claims, and motorists who each act once.

Ids are numbers of twelve digits and keys end in them, so that a pgbench script can name a row by arithmetic: a
motorist, their vehicle, plate and signature share one number; so do a lot and its unit.
"""

import hashlib
import random
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import time, timedelta
from typing import Any, Final

import psycopg
from psycopg.sql import SQL, Identifier

import wsgi
from app.domain.calendars.seeds import seed
from app.domain.lots import actions as lots
from app.domain.lots.models import Lot
from app.domain.lots.queries import Point
from app.domain.motorists.actions import publish_agreement
from app.domain.pricing import actions as pricing
from app.domain.pricing.published import read
from app.domain.staff.rules import Actor
from app.domain.units import actions as units
from app.domain.units.rules import NewUnit, sample_credit_code
from app.jobs.sample_city.lots import made_lawful
from app.jobs.sample_city.people import People
from app.jobs.sample_city.prices import charge, register
from app.kernel import crypto
from app.kernel.db import transaction
from app.settings import Settings
from bench.ground import MOMENT, Ground
from launcher.backing import DATABASE

ACTOR: Final = "bench"
LOTS: Final = 50
BAYS: Final = 40
"""Of each lot."""
MOTORISTS: Final = 40_000
FIRST: Final[Mapping[str, int]] = {
    "motorist": 100_000_000_001,
    "unit": 200_000_000_001,
    "lot": 200_000_000_001,
    "bay": 300_000_000_001,
    "bay_claim": 400_000_000_001,
    "reservation": 500_000_000_001,
}
ALL_LOTS: Final = range(FIRST["lot"], FIRST["lot"] + LOTS)
KEY_PREFIX: Final = "00000000-0000-7000-8000-"
CENTRE: Final = Point(30.25, 120.16)
REACH: Final = 0.04
"""Degrees to each side of the centre: a square of some 8 km."""
AGREEMENT: Final = "bench-1"
SINCE: Final = MOMENT - timedelta(days=60)


def key_of(number: int) -> uuid.UUID:
    """The public key of the row with this number."""
    return uuid.UUID(f"{KEY_PREFIX}{number}")


def some_point(chance: random.Random) -> Point:
    """A place somewhere in the city."""
    return Point(
        CENTRE.latitude + chance.uniform(-REACH, REACH),
        CENTRE.longitude + chance.uniform(-REACH, REACH),
    )


def opened_lots(stand: Ground) -> None:
    """All lots, and nobody who parks there: what a ground may begin with."""
    app = wsgi.create_app(Settings.from_environment(stand.environment))
    with app.app_context():
        open_lots(stand.servers.postgres.admin_url, (BAYS,) * LOTS)
        app.extensions["sqlalchemy"].engine.dispose()


def open_lots(admin_url: str, bays: Sequence[int]) -> None:
    """In an empty database, lots of so many bays, each opened as people open it."""
    with psycopg.connect(admin_url, dbname=DATABASE, autocommit=True) as superuser:
        _number_rows(superuser)
        units.know_districts()
        seed(MOMENT.year)
        publish_agreement(AGREEMENT, "服务协议（示例）", "示例文本", SINCE)
        _open_lots(bays)
        superuser.execute(SQL("UPDATE lot SET key = ({} || id)::uuid").format(KEY_PREFIX))
        superuser.execute("SET session_replication_role = replica")  # what holds already may begin earlier only here
        for table in ("lot_tariff", "reference_set"):
            superuser.execute(SQL("UPDATE {} SET valid = tstzrange(%s, NULL)").format(Identifier(table)), [SINCE])


def inhabit(admin_url: str, motorists: int, *, claimed: bool = False) -> None:
    """So many motorists, and, if `claimed`, other people's claims in all bays, copied in by the superuser."""
    with psycopg.connect(admin_url, dbname=DATABASE, autocommit=True) as superuser:
        _write_motorists(superuser, motorists)
        if claimed:
            superuser.execute("SET session_replication_role = replica")  # a finished claim is born so only here
            superuser.execute(_CLAIMS, {"moment": MOMENT})
        superuser.execute("VACUUM ANALYZE")


def _number_rows(superuser: psycopg.Connection[Any]) -> None:
    for table in ("unit", "lot", "bay", "bay_claim", "reservation"):
        first = SQL("ALTER TABLE {} ALTER COLUMN id RESTART WITH {}").format(Identifier(table), FIRST[table])
        superuser.execute(first)


def _open_lots(bays: Sequence[int]) -> None:
    own = pricing.store_tariff("示例收费标准", "示例", read("HZ-ROAD-2").parameters, ACTOR)
    around = pricing.store_tariff("示例参照收费标准", "示例", read("HZ-ROAD-1").parameters, ACTOR)
    people, chance = People(), random.Random(1)  # noqa: S311 - the same city in every run
    with transaction():
        reference = register(people, "示例参照停车场", CENTRE, around, SINCE)
    for number, count in enumerate(bays):
        with transaction():
            by, lot = _open_lot(number, count, some_point(chance), people)
            charge(people, by, lot, own, [reference])


def _open_lot(number: int, bays: int, point: Point, people: People) -> tuple[Actor, Lot]:
    name, code = f"示例停车场{number:03d}", sample_credit_code("institution", number)
    unit = units.enter(NewUnit(name, code, "institution", "district", "330106", time(9), time(17, 30)), ACTOR)
    told = lots.NewLot(name, "示例路1号", point.latitude, point.longitude, total_bays=3 * bays)
    with transaction():
        by = people.of_unit(unit)
        lot = lots.draft(by, unit.key, told, [lots.NewBay(f"A{bay:03d}", "A") for bay in range(bays)])
        made_lawful(by, people.regulator, lot, bays)
        lots.publish(by, lot.key)
        return by, lot


def _write_motorists(superuser: psycopg.Connection[Any], count: int) -> None:
    numbers = range(FIRST["motorist"], FIRST["motorist"] + count)
    digest = hashlib.sha256("示例文本".encode()).digest()
    sign_up(superuser, numbers)
    _copy(superuser, _PLATE, ((n, key_of(n), _index(n), _index(n), _sealed_plate(n), "blue", "small") for n in numbers))
    _copy(superuser, _VEHICLE, ((n, key_of(n), n, n, SINCE) for n in numbers))
    _copy(superuser, _SIGNATURE, ((n, key_of(n), n, AGREEMENT, digest, SINCE, b"") for n in numbers))


def sign_up(superuser: psycopg.Connection[Any], numbers: Iterable[int]) -> None:
    """Motorists of these numbers, signed in for the first time."""
    _copy(superuser, _MOTORIST, ((n, key_of(n), "wx0", _index(n), b"", 1, SINCE) for n in numbers))


_MOTORIST = "motorist (id, key, app_id, openid_bidx, openid_enc, session_version, created_at)"
_PLATE = "plate (id, key, bidx, characters_bidx, value_enc, colour, kind)"
_VEHICLE = "vehicle (id, key, motorist_id, plate_id, added_at)"
_SIGNATURE = "agreement_signature (id, key, motorist_id, version, text_sha256, signed_at, device_enc)"


def _copy(superuser: psycopg.Connection[Any], table: str, rows: Iterable[tuple[Any, ...]]) -> None:
    with superuser.cursor().copy(f"COPY {table} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _index(number: int) -> bytes:
    return hashlib.sha256(str(number).encode()).digest()[:16]


def _sealed_plate(number: int) -> bytes:
    return crypto.seal(f"浙A{number % 100_000:05d}", f"plate.value:{key_of(number)}")


_CLAIMS = """
WITH night AS (
    SELECT bay.id AS bay_id, night, %(moment)s + night * interval '1 day'
               + ((bay.id * 7 + night * 3) %% 4) * interval '150 minutes' AS begins_at
    FROM bay, generate_series(-40, 9) AS night
)
INSERT INTO bay_claim (bay_id, kind, state, during, admit_from, admit_until)
SELECT bay_id, 'reservation', CASE WHEN night < 0 THEN 'completed' ELSE 'confirmed' END,
       tstzrange(begins_at, begins_at + interval '150 minutes'),
       begins_at - interval '15 minutes', begins_at + interval '30 minutes'
FROM night
"""
"""Forty nights that are over and ten to come, one claim of two and a half hours for each bay and night."""
