"""What the suite must never let pass: one line of the house each, spoilt as a tired person would spoil it."""

from collections.abc import Sequence
from typing import Final

from tests.planted.bug import Bug
from tests.planted.bugs import (
    audit,
    bank,
    bays,
    bills,
    books,
    erasure,
    gates,
    kernel,
    money,
    receipts,
    remittance,
    service_fees,
    stays,
    suspense,
)

BUGS: Final[Sequence[Bug]] = [
    *bays.BUGS,
    *gates.BUGS,
    *stays.BUGS,
    *audit.BUGS,
    *money.BUGS,
    *books.BUGS,
    *bank.BUGS,
    *suspense.BUGS,
    *bills.BUGS,
    *receipts.BUGS,
    *remittance.BUGS,
    *service_fees.BUGS,
    *erasure.BUGS,
    *kernel.BUGS,
]
