"""More lots, copies of the city's with their bays, open windows and promises: to open each as people do takes long."""

from typing import Any, Final

import psycopg

from bench.city import ALL_LOTS, LOTS

_BAYS_LATER: Final = 1_000_000
"""How far the bays of a copy are numbered behind those that were copied, and those of the next copy behind these."""


def copied_lots(superuser: psycopg.Connection[Any], count: int) -> range:
    """So many lots beyond the city's, numbered without gaps; each car is promised a bay in all copies of its lot."""
    with superuser.transaction():
        superuser.execute("SET LOCAL session_replication_role = replica")  # each row was checked where it came from
        for first in range(0, count, LOTS):
            some = ALL_LOTS[: min(LOTS, count - first)]
            copy = first // LOTS + 1
            told = {"lots": list(some), "later": copy * LOTS, "bays_later": copy * _BAYS_LATER}
            for statement in (_LOTS_AGAIN, _BAYS_AGAIN, _WINDOWS_AGAIN, _PROMISES_AGAIN):
                superuser.execute(statement, told)
    superuser.execute("VACUUM ANALYZE")
    return range(ALL_LOTS.stop, ALL_LOTS.stop + count)


_LOTS_AGAIN: Final = """
INSERT INTO lot OVERRIDING SYSTEM VALUE
SELECT (jsonb_populate_record(lot, jsonb_build_object(
    'id', id + %(later)s, 'key', gen_random_uuid(), 'name', name || '-' || %(later)s))).*
FROM lot WHERE id = ANY (%(lots)s)
"""
_BAYS_AGAIN: Final = """
INSERT INTO bay (id, lot_id, number, zone, kind, shared) OVERRIDING SYSTEM VALUE
SELECT id + %(bays_later)s, lot_id + %(later)s, number, zone, kind, shared FROM bay WHERE lot_id = ANY (%(lots)s)
"""
_WINDOWS_AGAIN: Final = """
INSERT INTO open_window (lot_id, during)
SELECT lot_id + %(later)s, during FROM open_window WHERE lot_id = ANY (%(lots)s)
"""
_PROMISES_AGAIN: Final = """
INSERT INTO bay_claim (bay_id, plate_id, exclusive_plate, kind, state, during, admit_from, admit_until)
SELECT bay_id + %(bays_later)s, plate_id, false, claim.kind, state, during, admit_from, admit_until
FROM bay_claim AS claim JOIN bay ON bay.id = bay_id WHERE lot_id = ANY (%(lots)s)
"""
