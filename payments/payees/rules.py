"""What a payee must be before it may collect."""

from dataclasses import dataclass
from typing import Final

from payments.ledger.rules import SOE, TREASURY

SAMPLE_MARK = "示例"


@dataclass(frozen=True)
class FiscalParticulars:
    """What the treasury's non-tax system asks of a collecting unit (执收单位); `level` is city or district."""

    level: str
    district_code: str | None
    collecting_unit_code: str
    collecting_unit_name: str
    item_code: str
    treasury_target: str


@dataclass(frozen=True)
class EnterpriseParticulars:
    """What an enterprise's own invoices and settlements need."""

    tax_number: str
    bank_name: str
    bank_account: str


Particulars = FiscalParticulars | EnterpriseParticulars

REOPENING_STATES: Final = ("waiting", "accepted", "rejected")
VAT_METHODS: Final = {"general": "一般计税", "simplified": "简易计税"}
HIGHEST_VAT: Final = 2_000


@dataclass(frozen=True)
class Vat:
    """By which method (计税方法) an enterprise's VAT is reckoned, and at which rate in basis points: 900 are 9 %."""

    method: str
    basis_points: int

    @property
    def is_possible(self) -> bool:
        """One of the two methods, at up to 20 %; which of them is right is finance's word."""
        return self.method in VAT_METHODS and 0 <= self.basis_points <= HIGHEST_VAT


def regime_of(particulars: Particulars) -> str:
    """Organs and institutions collect for the treasury (N3.4.1), enterprises for themselves (N3.4.2)."""
    return TREASURY if isinstance(particulars, FiscalParticulars) else SOE


def says_sample(note: str) -> bool:
    """Whether a confirmation calls itself a sample (示例)."""
    return SAMPLE_MARK in note
