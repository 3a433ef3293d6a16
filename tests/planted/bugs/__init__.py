"""What the suite must never let pass: one line of the house each, spoilt as a tired person would spoil it."""

from collections.abc import Sequence
from typing import Final

from tests.planted.bug import Bug
from tests.planted.bugs import audit, bays, erasure, finance, gates, kernel, money, stays

BUGS: Final[Sequence[Bug]] = [
    *bays.BUGS,
    *gates.BUGS,
    *stays.BUGS,
    *audit.BUGS,
    *money.BUGS,
    *finance.BUGS,
    *erasure.BUGS,
    *kernel.BUGS,
]
