"""What must never pass of erased accounts."""

from typing import Final

from tests.planted.bug import Bug

_ERASE: Final = "tests/erasure/test_erase.py"
_FORGET: Final = "tests/erasure/test_forget.py"

BUGS: Final = [
    Bug(
        "kept by name: the titles of an erased account keep their names and numbers",
        "payments/receipts/actions/titles.py",
        'mine.values(name=b"", tax_number=None, is_usual=False, removed_at=removed_at)',
        "mine.values(is_usual=False, removed_at=removed_at)",
        [_ERASE],
    ),
    Bug(
        "found by plate: an erased account's plates are found by their index",
        "app/domain/erasure/actions.py",
        "        else:\n            motorists.erase_plate(plate_id)\n",
        "",
        [_ERASE],
    ),
    Bug(
        "escaped: a suspension ends with the account",
        "app/domain/erasure/actions.py",
        "        carry_on(motorist, openid_of(motorist_id))\n",
        "",
        [_ERASE],
    ),
    Bug(
        "erased on the way: an account with a car inside is erased",
        "app/domain/erasure/queries.py",
        'Stay.motorist_id == motorist_id, Stay.state == "parked"',
        'Stay.motorist_id == motorist_id, Stay.state == ""',
        [_ERASE],
    ),
    Bug(
        "nobody does something: an erased motorist gets a vehicle",
        "migrations/versions/0057_erasure.py",
        "IF gone IS NOT NULL THEN",
        "IF gone < '-infinity' THEN",
        [_ERASE],
    ),
    Bug(
        "forgotten too soon: who paid is forgotten while WeChat still takes refunds",
        "migrations/versions/0060_forgetting.py",
        """        f"forgotten_at >= {BEGINS[table]} + interval '{KEPT_DAYS[table] * 24} hours'",\n""",
        """        f"forgotten_at >= {BEGINS[table]}",\n""",
        [_FORGET],
    ),
    Bug(
        "forgotten too soon: a stranger's plate that was seen yesterday goes with what it did years ago",
        "app/domain/erasure/queries.py",
        "~(_is_needed(NumberPlate.id) | _was_there_since(NumberPlate.id, moment)),",
        "~_is_needed(NumberPlate.id),",
        [_FORGET],
    ),
    Bug(
        "kept for ever: a stranger's plate can be read when all else is forgotten",
        "app/domain/erasure/actions.py",
        "motorists.lock_plates(strangers_gone(told.plates, before))",
        "motorists.lock_plates(())",
        [_FORGET],
    ),
]
