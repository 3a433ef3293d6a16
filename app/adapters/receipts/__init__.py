"""The platforms that issue receipts: fiscal e-bills (财政电子票据) and tax invoices (数电票)."""

from app.adapters.receipts.fiscal import FiscalBills
from app.adapters.receipts.outcomes import Told
from app.adapters.receipts.tax import TaxInvoices
from app.adapters.receipts.wire import Account

__all__ = ["Account", "FiscalBills", "TaxInvoices", "Told"]
