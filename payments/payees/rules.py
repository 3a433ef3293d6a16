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
PLAIN: Final = "plain"
LEASE: Final = "lease"
INVOICE_FORMS: Final = {PLAIN: "普通明细", LEASE: "不动产经营租赁服务"}


@dataclass(frozen=True)
class Vat:
    """By which method (计税方法) an enterprise's VAT is reckoned, and at which rate in basis points: 900 are 9 %."""

    method: str
    basis_points: int

    @property
    def is_possible(self) -> bool:
        """One of the two methods, at up to 20 %; which of them is right is finance's word."""
        return self.method in VAT_METHODS and 0 <= self.basis_points <= HIGHEST_VAT


@dataclass(frozen=True)
class InvoiceForm:
    """As what an enterprise invoices parking: plain lines, or lease (特定业务 06 不动产经营租赁服务).

    Lease names a unit of area (面积单位), and whether the seller lets across cities (跨地（市）标志): all lots lie in
    Hangzhou, so that one word serves for all lots of a seller. Plain lines name neither.
    """

    name: str
    area_unit: str | None = None
    cross_city: bool | None = None

    @property
    def is_possible(self) -> bool:
        """One of the two with just what it names; which of them is right is finance's word, practice differs."""
        if self.name == LEASE:
            return bool((self.area_unit or "").strip()) and self.cross_city is not None
        return self.name == PLAIN and self.area_unit is None and self.cross_city is None


def regime_of(particulars: Particulars) -> str:
    """Organs and institutions collect for the treasury (N3.4.1), enterprises for themselves (N3.4.2)."""
    return TREASURY if isinstance(particulars, FiscalParticulars) else SOE


def says_sample(note: str) -> bool:
    """Whether a confirmation calls itself a sample (示例)."""
    return SAMPLE_MARK in note
