"""Which receipt a payee gives."""

from payments.ledger.rules import TREASURY

FISCAL_EBILL = "fiscal_ebill"
TAX_INVOICE = "tax_invoice"


def kind_for(regime: str) -> str:
    """财政电子票据 for non-tax income of the treasury, 数电票 for an enterprise's taxed income."""
    return FISCAL_EBILL if regime == TREASURY else TAX_INVOICE
