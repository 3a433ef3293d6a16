"""What a payee must be before it may collect."""

from dataclasses import dataclass

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


def regime_of(particulars: Particulars) -> str:
    """Organs and institutions collect for the treasury (N3.4.1), enterprises for themselves (N3.4.2)."""
    return TREASURY if isinstance(particulars, FiscalParticulars) else SOE


def says_sample(note: str) -> bool:
    """Whether a confirmation calls itself a sample (示例)."""
    return SAMPLE_MARK in note
