"""What must never pass of the audit log."""

from collections.abc import Sequence
from typing import Final

from tests.planted.bug import Bug

_SEALS: Final = "tests/audit/test_sealing.py"
_ANCHORS: Final = "tests/audit/test_anchors.py"

_SEALED: Final = [
    Bug(
        "late commit passed by: what a running transaction still says is never sealed",
        "migrations/versions/0036_audit.py",
        "horizon := txid_snapshot_xmin(txid_current_snapshot());",
        "horizon := txid_snapshot_xmax(txid_current_snapshot());",
        [_SEALS],
    ),
    Bug(
        "log open: the program itself writes blocks",
        "migrations/versions/0036_audit.py",
        """    op.execute("REVOKE INSERT ON audit_block FROM app_rw")\n""",
        "",
        [_SEALS],
    ),
    Bug(
        "log open: the program says in which transaction a deed was done",
        "migrations/versions/0036_audit.py",
        'TOLD = "at, actor, action, subject, subject_id, detail, request_id"',
        'TOLD = "at, actor, action, subject, subject_id, detail, request_id, transaction_id"',
        [_SEALS],
    ),
    Bug(
        "tail not missed: an anchor of a block that is gone is passed by",
        "app/domain/audit/rules.py",
        'yield Fault("tail_cut" if cut else "anchor_differs", number, place=place)\n        return',
        "return",
        ["tests/audit/test_rules.py"],
    ),
    Bug(
        "chain not followed: a block need not name the one before it",
        "app/domain/audit/rules.py",
        "(block.from_xid, block.total, block.previous) != (end, total + block.entries, previous)",
        "(block.from_xid, block.total) != (end, total + block.entries)",
        ["tests/audit/test_rules.py"],
    ),
    Bug(
        "sealing hurried: a transaction too large for a request's time is never sealed",
        "app/domain/audit/actions.py",
        "        unhurried()\n",
        "",
        [_SEALS],
    ),
    Bug(
        "sealing unwatched: nobody hears of a log that cannot be sealed",
        "app/domain/audit/actions.py",
        "    _watch(oldest_unsealed())\n    sealed = 0\n    while entries := _seal_one():\n        sealed += entries\n",
        "    sealed = 0\n    while entries := _seal_one():\n        sealed += entries\n    _watch(oldest_unsealed())\n",
        [_SEALS],
    ),
    Bug(
        "anchor torn: a disk that takes half a line is believed",
        "app/adapters/anchors/folder.py",
        "        while line:\n            line = line[os.write(file, line) :]\n",
        "        os.write(file, line)\n",
        [_ANCHORS],
    ),
    Bug(
        "anchor torn: half a line stays where there was no room for the whole",
        "app/adapters/anchors/folder.py",
        "        os.ftruncate(file, end)\n        raise\n",
        "        raise\n",
        [_ANCHORS],
    ),
    Bug(
        "anchor torn: what a crash left in part is not cut before the next",
        "app/adapters/anchors/folder.py",
        "                if kept.torn:\n                    os.ftruncate(file, kept.end)\n",
        "",
        [_ANCHORS],
    ),
    Bug(
        "place unread: nobody hears of anchors that cannot be read",
        "app/domain/audit/queries.py",
        '            unread.append(Fault("anchors_unreadable", place=place.name))\n',
        "            continue\n",
        [_SEALS],
    ),
    Bug(
        "payment untold: the table of payments writes nothing into the log",
        "migrations/versions/0036_audit.py",
        """    for table, columns in MONEY.items():
        written_down""",
        """    for table, columns in MONEY.items():
        if table == "payment":
            continue
        written_down""",
        ["tests/audit/test_money.py"],
    ),
]


BUGS: Final[Sequence[Bug]] = [*_SEALED]
