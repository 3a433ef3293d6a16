"""Rows that the law keeps, and in them what tells of a person, which is kept no longer than it is needed.

个人信息保护法 第十九条: the shortest time that the purpose needs; 第四十七条: then it is erased without being asked.
"""

from sqlalchemy import CheckConstraint


def forgotten_after(days: int, table: str, begins: str, always: str, *also: str) -> tuple[CheckConstraint, ...]:
    """A row whose sealed columns are emptied together at `forgotten_at`, and not before so many days.

    `always` is filled until then, `also` may be. A trigger (`only_forgets`) lets nothing else change with it.
    """
    return (
        CheckConstraint(
            f"CASE WHEN forgotten_at IS NULL THEN {always} IS NOT NULL "
            f"ELSE num_nonnulls({', '.join((always, *also))}) = 0 END",
            name=f"a_{table}_is_forgotten_whole",
        ),
        CheckConstraint(
            f"forgotten_at >= {begins} + interval '{days * 24} hours'", name=f"a_{table}_is_kept_{days}_days"
        ),
    )
