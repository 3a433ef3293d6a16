"""What finance says of receipts, what motorists hear of them, and receipts by e-mail; one file a verb."""

from app.domain.receipts.actions.ask_mail import ask_mail, check_mail
from app.domain.receipts.actions.bring_mail import ask_for_due_mails, bring_mail
from app.domain.receipts.actions.certificates import accept_certificate, record_certificate, reject_certificate
from app.domain.receipts.actions.drop_mails import drop_mails
from app.domain.receipts.actions.news import tell_news
from app.domain.receipts.actions.terms import confirm_terms, end_terms, record_terms, retry

__all__ = [
    "accept_certificate",
    "ask_for_due_mails",
    "ask_mail",
    "bring_mail",
    "check_mail",
    "confirm_terms",
    "drop_mails",
    "end_terms",
    "record_certificate",
    "record_terms",
    "reject_certificate",
    "retry",
    "tell_news",
]
