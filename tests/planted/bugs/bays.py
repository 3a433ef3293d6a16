"""What must never pass of bays and places that are promised."""

from collections.abc import Sequence
from typing import Final

from tests.planted.bug import Bug

_GUARD: Final = "tests/claims/test_guard.py"
_ROUNDS: Final = "tests/regulars/test_rounds.py"

_CLAIMS: Final = [
    Bug(
        "constraint dropped: nothing forbids two live claims of one bay",
        "migrations/versions/0003_city.py",
        """        postgresql.ExcludeConstraint(
            (sa.column("bay_id"), "="),
            (sa.column("during"), "&&"),
            where=sa.text("state IN ('held', 'confirmed', 'in_use')"),
            using="gist",
            name="a_bay_has_one_live_claim_at_a_time",
        ),
""",
        "",
        [_GUARD, "tests/reservations/test_extend.py"],
    ),
    Bug(
        "constraint dropped: nothing forbids two live claims of one plate",
        "migrations/versions/0003_city.py",
        """        postgresql.ExcludeConstraint(
            (sa.column("plate_id"), "="),
            (sa.column("during"), "&&"),
            where=sa.text("exclusive_plate AND state IN ('held', 'confirmed', 'in_use')"),
            using="gist",
            name="a_plate_has_one_live_claim_at_a_time",
        ),
""",
        "",
        [_GUARD],
    ),
    Bug(
        "lock dropped: rivals for a bay do not queue at its row",
        "app/domain/claims/actions/take.py",
        "    return bays.with_for_update(of=Bay, skip_locked=skip_locked)\n",
        "    return bays\n",
        [_GUARD],
    ),
    Bug(
        "lock dropped: two claims for one plate do not queue",
        "app/domain/claims/actions/take.py",
        'NumberPlate.id == bindparam("plate_id"))\n        .with_for_update(key_share=True)',
        'NumberPlate.id == bindparam("plate_id"))',
        [_GUARD],
    ),
    Bug(
        "stale hold believed: an offer that is over still takes its bay",
        "app/domain/claims/queries.py",
        "during, live(), not_(stale(now))).is_not(None), closed(during, bay_id))",
        "during, live()).is_not(None), closed(during, bay_id))",
        [_GUARD],
    ),
]

_DRAWN: Final = [
    Bug(
        "commitment ignored: the draw orders applications by something else than the secret",
        "app/domain/regulars/rules/draw.py",
        "return sorted(application_keys, key=lambda key: ticket(secret, key))",
        "return sorted(application_keys)",
        ["tests/regulars/test_rules.py", _ROUNDS],
    ),
    Bug(
        "commitment ignored: another secret may be revealed than was committed to",
        "migrations/versions/0037_regulars.py",
        "secret IS NULL OR commitment = encode(sha256(convert_to(secret, 'UTF8')), 'hex')",
        "secret IS NULL OR commitment <> ''",
        [_ROUNDS],
    ),
    Bug(
        "places not bounded: a lot offers as many regular places as it likes",
        "app/domain/regulars/rules/__init__.py",
        "if not 1 <= offer.places <= most:",
        "if offer.places < 1:",
        ["tests/regulars/test_rules.py"],
    ),
    Bug(
        "places not bounded: a round may have more holders than places",
        "migrations/versions/0037_regulars.py",
        "place BETWEEN 1 AND places",
        "place > 0",
        [_ROUNDS],
    ),
    Bug(
        "constraint dropped: a motorist applies twice to a round, or a plate does",
        "migrations/versions/0037_regulars.py",
        'name, ["round_id", column], unique=True,',
        'name, ["round_id", column], unique=False,',
        [_ROUNDS],
    ),
    Bug(
        "lock dropped: a draw does not wait for an application under way",
        "migrations/versions/0037_regulars.py",
        "NEW.applied_at < closes_at\n            FOR SHARE;",
        "NEW.applied_at < closes_at;",
        [_ROUNDS],
    ),
    Bug(
        "constraint dropped: who did not win may have nights",
        "migrations/versions/0037_regulars.py",
        "WHERE id = NEW.application_id AND state = 'won' FOR SHARE",
        "WHERE id = NEW.application_id FOR SHARE",
        ["tests/regulars/test_nights.py"],
    ),
    Bug(
        "night lost: one that cannot be had is not told",
        "app/domain/regulars/actions/deal.py",
        "    if refusal is not None:\n        body",
        "    if refusal is None:\n        body",
        ["tests/regulars/test_nights.py"],
    ),
]


BUGS: Final[Sequence[Bug]] = [*_CLAIMS, *_DRAWN]
