"""Statements that make the written windows what they should be, for many lots at once.

Mostly days are only added. Else, run in this order, no two windows of a lot ever overlap: windows that only grow, and
have the room to; windows that only shrink; then whatever else is not wanted goes, and what is missing comes.
"""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import TextClause, text

_WANTED: Final = """
WITH told AS MATERIALIZED (
    SELECT * FROM unnest(CAST(:lots AS bigint[]), CAST(:rules AS bigint[]), CAST(:plans AS bigint[]),
                         CAST(:since AS timestamptz[])) AS told (lot_id, rule, plan, since)
), spans AS MATERIALIZED (
    SELECT * FROM unnest(CAST(:of_rules AS bigint[]), CAST(:by_plans AS bigint[]), CAST(:begins AS timestamptz[]),
                         CAST(:ends AS timestamptz[]), CAST(:first AS bigint[]), CAST(:last AS bigint[]))
        AS spans (rule, plan, begins_at, ends_at, opening, closing)
), existing AS MATERIALIZED (
    SELECT open_window.*, since FROM told JOIN open_window ON open_window.lot_id = told.lot_id
       AND open_window.during && tstzrange(since, NULL)
), running AS MATERIALIZED (
    SELECT * FROM existing WHERE lower(during) < since
), wanted AS MATERIALIZED (
    SELECT told.lot_id, COALESCE(spans.plan, told.plan) AS plan,
           array_remove(ARRAY[opening, closing], NULL) AS calendars,
           tstzrange(CASE WHEN begins_at <= told.since THEN COALESCE(lower(running.during), told.since)
                          ELSE begins_at END, ends_at) AS during
    FROM told JOIN spans ON spans.rule = told.rule AND ends_at > told.since
    LEFT JOIN running ON running.lot_id = told.lot_id AND begins_at <= told.since
    UNION ALL
    SELECT lot_id, plan_id, calendar_ids, tstzrange(lower(during), since)
    FROM running WHERE NOT EXISTS (
        SELECT FROM told JOIN spans ON spans.rule = told.rule AND begins_at <= told.since AND told.since < ends_at
        WHERE told.lot_id = running.lot_id
    )
), missing AS MATERIALIZED (
    SELECT * FROM wanted WHERE NOT EXISTS (
        SELECT FROM existing WHERE existing.lot_id = wanted.lot_id AND existing.during = wanted.during)
), idle AS MATERIALIZED (
    SELECT * FROM existing WHERE NOT EXISTS (
        SELECT FROM wanted WHERE existing.lot_id = wanted.lot_id AND existing.during = wanted.during)
)
"""
"""`told` are lots with their rule and the moment from which on they are written; what was open at that moment keeps
its beginning, or ends there. `missing` are wanted windows that are not written, `idle` written ones not wanted."""


def _statement(change: str) -> TextClause:
    return text(f"{_WANTED}{change}")


DIFFERENCES: Final = _statement("SELECT EXISTS (SELECT FROM idle), EXISTS (SELECT FROM missing)")
GROW: Final = _statement("""
UPDATE open_window SET during = grown.during, plan_id = grown.plan, calendar_ids = grown.calendars
FROM (
    SELECT idle.id, missing.* FROM idle JOIN missing ON missing.lot_id = idle.lot_id AND missing.during @> idle.during
    WHERE NOT EXISTS (
        SELECT FROM existing WHERE existing.lot_id = idle.lot_id AND existing.id <> idle.id
           AND existing.during && missing.during)
) AS grown
WHERE open_window.id = grown.id
""")
SHRINK: Final = _statement("""
UPDATE open_window SET during = shrunk.during, plan_id = shrunk.plan, calendar_ids = shrunk.calendars
FROM (
    SELECT DISTINCT ON (idle.id) idle.id, missing.*
    FROM idle JOIN missing ON missing.lot_id = idle.lot_id AND idle.during @> missing.during
    ORDER BY idle.id, lower(missing.during)
) AS shrunk
WHERE open_window.id = shrunk.id
""")
REMOVE: Final = _statement("DELETE FROM open_window USING idle WHERE open_window.id = idle.id")
ADD: Final = _statement("""
INSERT INTO open_window (lot_id, during, plan_id, calendar_ids)
SELECT lot_id, during, plan, calendars FROM missing ORDER BY lot_id, during
""")
ONLY_ADD: Final = _statement("""
INSERT INTO open_window (lot_id, during, plan_id, calendar_ids)
SELECT lot_id, during, plan, calendars FROM missing WHERE NOT EXISTS (SELECT FROM idle) ORDER BY lot_id, during
""")
"""Everything that is to be done, unless windows are written that are not wanted: then nothing."""


def needed(has_idle: bool, has_missing: bool) -> Sequence[TextClause]:
    """The statements that can find something to do. Only where both kinds differ a window may become another."""
    if has_idle and has_missing:
        return GROW, SHRINK, REMOVE, ADD
    return (REMOVE,) if has_idle else (ADD,) if has_missing else ()
