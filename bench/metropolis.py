"""A city as large as is asked for, written by the superuser in a few statements: lots, bays, windows, prices, claims.

Ids and keys are numbered as in `bench.city`, so that both may stand on the same ground, one after the other.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import sqrt
from typing import Any, Final

import psycopg

from app.domain.calendars.seeds import seed
from app.domain.lots.queries import Point
from app.domain.pricing import actions as pricing
from app.domain.pricing.published import read
from app.domain.units.actions import know_districts
from bench.city import ACTOR, CENTRE, KEY_PREFIX, SINCE
from bench.ground import MOMENT
from launcher.backing import DATABASE

DENSITY: Final = 5_000 / 0.32**2
"""Lots in a square degree: five thousand in a square of some 35 km, as large as the built-up city."""
OWN: Final = ("HZ-CIVIC-CENTER", "HZ-ROAD-1", "HZ-ROAD-2", "HZ-ROAD-CORE")
REFERENCE: Final = "HZ-ROAD-2"


@dataclass(frozen=True)
class Metropolis:
    """So many lots of so many bays, with so many reservations for each bay, past and to come."""

    lots: int
    bays_each: int = 40
    claims_each: float = 2.5
    nights: int = 20
    """So far ahead their windows are written."""

    @property
    def reach(self) -> float:
        """Degrees from the centre to each side: all cities are equally dense."""
        return sqrt(self.lots / DENSITY) / 2

    def some_point(self, chance: random.Random) -> Point:
        """A place somewhere in the city."""
        reach = self.reach
        return Point(CENTRE.latitude + chance.uniform(-reach, reach), CENTRE.longitude + chance.uniform(-reach, reach))


def build(admin_url: str, city: Metropolis) -> None:
    """Fill an empty database with the city."""
    know_districts()
    seed(MOMENT.year)
    tariffs = _tariffs()
    with psycopg.connect(admin_url, dbname=DATABASE, autocommit=True) as superuser:
        superuser.execute("SET session_replication_role = replica")
        for statement in _STATEMENTS:
            superuser.execute(statement, _numbers(city, tariffs))
        superuser.execute("VACUUM ANALYZE")


def _tariffs() -> Sequence[int]:
    """The stored tariffs: those that lots charge by, and last the one that caps them."""
    names = [*OWN, REFERENCE]
    return [
        pricing.store_tariff(f"示例收费标准{place}", "示例", read(name).parameters, ACTOR).id
        for place, name in enumerate(names)
    ]


def _numbers(city: Metropolis, tariffs: Sequence[int]) -> dict[str, Any]:
    return {
        "lots": city.lots, "bays": city.bays_each, "nights": city.nights,
        "claims": max(round(city.claims_each * 10), 1), "since": SINCE, "moment": MOMENT,
        "evening": MOMENT - timedelta(hours=1.5), "prefix": KEY_PREFIX, "own": list(tariffs[:-1]),
        "capped": tariffs[-1], "reach": city.reach, "latitude": CENTRE.latitude, "longitude": CENTRE.longitude,
    }  # fmt: skip


_STATEMENTS: Final = (
    """
    INSERT INTO staff_account (id, key, login, display_name, password_hash, password_is_own, failed_sign_ins, opened_at)
    OVERRIDING SYSTEM VALUE
    SELECT 200000000000 + n, gen_random_uuid(), 'bench' || n, '示例', '', true, 0, %(since)s
    FROM generate_series(1, 2) AS n
    """,
    """
    INSERT INTO unit (id, key, name, kind, level, district_code, office_begins, office_ends, authority)
    OVERRIDING SYSTEM VALUE
    SELECT 200000000000 + n, (%(prefix)s || (200000000000 + n))::uuid, '示例单位' || n, 'institution', 'district',
           '330106', '09:00', '17:30', 'district'
    FROM generate_series(1, %(lots)s) AS n
    """,
    """
    INSERT INTO lot (id, key, unit_id, name, address, latitude, longitude, total_bays, total_chargers, shared_chargers,
                     area, state, submitted_by, approved_by)
    OVERRIDING SYSTEM VALUE
    SELECT 200000000000 + n, (%(prefix)s || (200000000000 + n))::uuid, 200000000000 + n, '示例停车场' || n,
           '杭州市西湖区示例路' || n || '号',
           %(latitude)s + %(reach)s * (2 * (n * 0.6180339887498949 - floor(n * 0.6180339887498949)) - 1),
           %(longitude)s + %(reach)s * (2 * (n * 0.7548776662466927 - floor(n * 0.7548776662466927)) - 1),
           3 * %(bays)s, 4, 2, 'ordinary', 'open', 200000000001, 200000000002
    FROM generate_series(1, %(lots)s) AS n
    """,
    """
    INSERT INTO bay (id, lot_id, number, zone, kind, shared)
    OVERRIDING SYSTEM VALUE
    SELECT 300000000000 + (lot - 1) * %(bays)s + bay, 200000000000 + lot, 'A' || lpad(bay::text, 3, '0'), 'A',
           CASE WHEN bay %% 20 = 1 THEN 'accessible' WHEN bay %% 10 = 2 THEN 'charging' ELSE 'standard' END, true
    FROM generate_series(1, %(lots)s) AS lot, generate_series(1, %(bays)s) AS bay
    """,
    """
    INSERT INTO open_window (lot_id, during)
    SELECT lot.id, tstzrange(%(evening)s + night * interval '1 day',
                             %(evening)s + night * interval '1 day' + interval '13.5 hours')
    FROM lot, generate_series(-2, %(nights)s) AS night
    """,
    """
    INSERT INTO lot_tariff (lot_id, tariff_id, valid)
    SELECT id, (%(own)s::bigint[])[1 + id %% cardinality(%(own)s::bigint[])], tstzrange(%(since)s, NULL) FROM lot
    """,
    """
    INSERT INTO reference_lot (id, key, name, kind) OVERRIDING SYSTEM VALUE
    VALUES (1, gen_random_uuid(), '示例参照停车场', 'lot')
    """,
    """
    INSERT INTO reference_version
        (key, reference_id, version, approval, latitude, longitude, tariff_id, valid, why, state, proposed_at,
         decided_at)
    VALUES (gen_random_uuid(), 1, 1, '示例', %(latitude)s, %(longitude)s, %(capped)s, tstzrange(%(since)s, NULL), '',
            'approved', %(since)s, %(since)s)
    """,
    """
    INSERT INTO reference_set (id, key, lot_id, version, why, state, proposed_at, decided_at, valid)
    OVERRIDING SYSTEM VALUE
    SELECT id, gen_random_uuid(), id, 1, '', 'approved', %(since)s, %(since)s, tstzrange(%(since)s, NULL) FROM lot
    """,
    """
    INSERT INTO reference_set_member (set_id, reference_id) SELECT id, 1 FROM reference_set
    """,
    """
    INSERT INTO bay_claim (bay_id, kind, state, during, admit_from, admit_until)
    SELECT bay.id, 'reservation', CASE WHEN night < 0 THEN 'completed' ELSE 'confirmed' END, span.during,
           lower(span.during) - interval '15 minutes', lower(span.during) + interval '30 minutes'
    FROM bay, generate_series(-12, 7) AS night,
         LATERAL (SELECT %(moment)s + night * interval '1 day'
                         + ((bay.id * 7 + night * 3) %% 4) * interval '150 minutes' AS begins_at) AS begin,
         LATERAL (SELECT tstzrange(begins_at, begins_at + interval '150 minutes') AS during) AS span
    WHERE (bay.id * 31 + night * 17) %% 200 < %(claims)s
    """,
)
"""In each night a share of the bays is claimed for two and a half hours; eight of twenty nights are to come."""
