"""What may never be, asked of the tables as a superuser and in words that share nothing with the platform's own."""

from collections.abc import Sequence
from typing import Any

import psycopg

from bench.race.clients import Wish

_LIVE = "state IN ('held', 'confirmed', 'in_use')"


class Umpire:
    """Looks at one snapshot at a time; may look while the race is on."""

    def __init__(self, superuser: psycopg.Connection[Any]) -> None:
        self._superuser = superuser
        self._deadlocks_before = self._deadlocks()

    def overlaps(self) -> int:
        """Live claims that begin on a bay, or for a plate, before an earlier one has ended."""
        return self._number(_OVERLAPS)

    def oversold(self) -> int:
        """Lots that at some moment have more live claims than shared bays."""
        return self._number(_OVERSOLD)

    def deadlocks(self) -> int:
        """Since this umpire came; complete when the clients' connections have ended."""
        self._superuser.execute("SELECT pg_stat_clear_snapshot()")
        return self._deadlocks() - self._deadlocks_before

    def needlessly_refused(self, full: Sequence[Wish]) -> int:
        """Wishes refused as full though a bay is free; true only where nobody gave anything back since."""
        with self._superuser.transaction(), self._superuser.cursor() as cursor:
            cursor.execute("CREATE TEMP TABLE refused (lot_id bigint, during tstzrange) ON COMMIT DROP")
            with cursor.copy("COPY refused FROM STDIN") as copy:
                for wish in full:
                    copy.write_row((wish.lot, f"[{wish.begins_at.isoformat()},{wish.ends_at.isoformat()})"))
            return self._number(_NEEDLESS)

    def _deadlocks(self) -> int:
        return self._number("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")

    def _number(self, question: str) -> int:
        row = self._superuser.execute(question).fetchone()
        assert row is not None
        return int(row[0])


_OVERLAPS = f"""
SELECT count(*) FROM (
    SELECT lower(during) < max(upper(during)) OVER (
        PARTITION BY kind, holder ORDER BY lower(during), id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS too_early
    FROM (
        SELECT 'bay' AS kind, bay_id AS holder, id, during FROM bay_claim WHERE {_LIVE}
        UNION ALL SELECT 'plate', plate_id, id, during FROM bay_claim WHERE {_LIVE} AND exclusive_plate
    ) AS holding
) AS looked_at WHERE too_early
"""  # noqa: S608 - of our own words

_OVERSOLD = f"""
SELECT count(DISTINCT lot_id) FROM (
    SELECT lot_id, sum(change) OVER (PARTITION BY lot_id ORDER BY at, change) AS taken
    FROM (
        SELECT bay.lot_id, lower(during) AS at, 1 AS change FROM bay_claim JOIN bay ON bay.id = bay_id WHERE {_LIVE}
        UNION ALL SELECT bay.lot_id, upper(during), -1 FROM bay_claim JOIN bay ON bay.id = bay_id WHERE {_LIVE}
    ) AS moments
) AS sums
WHERE taken > (SELECT count(*) FROM bay WHERE bay.lot_id = sums.lot_id AND shared)
"""  # noqa: S608 - of our own words

_NEEDLESS = f"""
SELECT count(*) FROM refused WHERE EXISTS (
    SELECT FROM bay WHERE bay.lot_id = refused.lot_id AND shared AND NOT EXISTS (
        SELECT FROM bay_claim WHERE bay_id = bay.id AND bay_claim.during && refused.during AND {_LIVE}
    )
)
"""  # noqa: S608 - of our own words
