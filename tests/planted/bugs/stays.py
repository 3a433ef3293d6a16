"""What must never pass of stays, conduct and debts."""

from collections.abc import Sequence
from typing import Final

from tests.planted.bug import Bug

_FORGET: Final = "tests/erasure/test_forget.py"
_LIFE: Final = "tests/life/test_evening.py"
_HOLDS: Final = "tests/arrears/test_guards.py"

_LIVED: Final = [
    Bug(
        "fuzzy match not unique: of two cars that come into question the first is taken",
        "app/domain/stays/rules/likeness.py",
        """    if len(ranked) > 1 and ranked[1][0] < ranked[0][0] + APART:
        return None
""",
        "",
        ["tests/stays/test_misread.py"],
    ),
    Bug(
        "fuzzy match too wide: any car that is the nearest is taken",
        "app/domain/stays/rules/likeness.py",
        "if not ranked or ranked[0][0] > NEAREST:",
        "if not ranked:",
        ["tests/stays/test_misread.py"],
    ),
    Bug(
        "passage repeated: a second reading of a car is a second entry",
        "app/domain/stays/rules/visits.py",
        "SAME_CAR: Final = timedelta(seconds=15)",
        "SAME_CAR: Final = timedelta(seconds=-1)",
        ["tests/stays/test_visit.py", "tests/stays/test_visits.py"],
    ),
    Bug(
        "event told twice: it is projected twice",
        "app/domain/stays/actions/project.py",
        "if affected(first.on_conflict_do_nothing()) == 0:",
        "if affected(first.on_conflict_do_nothing()) < 0:",
        ["tests/stays/test_visit.py", _LIFE],
    ),
    Bug(
        "promise forgotten: a car with a reservation waits for a free bay",
        "app/domain/stays/queries/arriving.py",
        "return self.is_promised and",
        "return False and",
        ["tests/stays/test_visit.py", _LIFE],
    ),
    Bug(
        "grace forgotten: who has paid pays again at the barrier",
        "app/domain/stays/queries/__init__.py",
        'timedelta(minutes=policy["leave_after_payment_minutes"])',
        "timedelta()",
        ["tests/stays/test_visit.py"],
    ),
    Bug(
        "phantom stay: a car without an exit is billed for ever",
        "app/domain/stays/queries/__init__.py",
        "up_to = min(moment, longest)",
        "up_to = moment",
        ["tests/stays/test_account.py"],
    ),
    Bug(
        "history rewritten: what a gate told can be changed",
        "migrations/versions/0060_forgetting.py",
        "               AND to_jsonb(NEW) - forgotten = to_jsonb(OLD) - forgotten THEN\n",
        "               THEN\n",
        [_FORGET],
    ),
]

_JUDGED: Final = [
    Bug(
        "lock dropped: two who assess one motorist do not queue",
        "app/domain/conduct/actions/assess.py",
        "where(Motorist.id == motorist).with_for_update(key_share=True))",
        "where(Motorist.id == motorist))",
        ["tests/conduct/test_measures.py"],
    ),
    Bug(
        "incident counted twice: it leads to a second measure of a kind",
        "app/domain/conduct/actions/assess.py",
        "        incident.assessed_at = clock.now()\n",
        "",
        ["tests/conduct/test_measures.py"],
    ),
]

_OWED: Final = [
    Bug(
        "lock dropped: a hold does not wait for a reservation in the making",
        "migrations/versions/0032_arrears.py",
        "BEFORE UPDATE OF held_at ON arrear",
        "BEFORE UPDATE OF lot_id ON arrear",
        [_HOLDS],
    ),
    Bug(
        "constraint dropped: the table lets reserve whoever owes",
        "migrations/versions/0032_arrears.py",
        "owing AND held_at IS NOT NULL\n                         AND NOT EXISTS",
        "false\n                         AND NOT EXISTS",
        [_HOLDS],
    ),
    Bug(
        "lock dropped: a debt is written down beside its payment",
        "migrations/versions/0032_arrears.py",
        "WHERE key = NEW.charge_key FOR SHARE",
        "WHERE key = NEW.charge_key",
        [_HOLDS],
    ),
    Bug(
        "payment ignored: who paid is still kept from reserving",
        "migrations/versions/0032_arrears.py",
        "UPDATE arrear SET owing = false WHERE charge_key = NEW.key",
        "UPDATE arrear SET owing = true WHERE charge_key = NULL",
        ["tests/arrears/test_chase.py"],
    ),
]


_ROUNDS: Final = [
    Bug(
        "round broken off: one row that fails keeps all others from their turn, now and always",
        "app/kernel/rounds.py",
        "            if is_away(failure):\n                raise\n",
        "            raise\n",
        ["tests/kernel/test_rounds.py"],
    ),
    Bug(
        "silent gate: promises of one lot keep the bays of all others from being freed",
        "app/domain/reservations/queries/missed.py",
        "        due = due.where(~func.coalesce(waits, false()))",
        "        due = due.where(~func.coalesce(waits & false(), false()))",
        ["tests/reservations/test_cancel.py"],
    ),
    Bug(
        "raised again and again: cars that somebody knows of keep the next ones from being raised",
        "app/domain/departures/queries/overstays.py",
        "<= at, ~raised.exists())",
        "<= at)",
        ["tests/departures/test_tow.py"],
    ),
]

BUGS: Final[Sequence[Bug]] = [*_LIVED, *_JUDGED, *_OWED, *_ROUNDS]
