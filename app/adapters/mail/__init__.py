"""E-mail to motorists, handed to one server over TLS."""

from app.adapters.mail.addresses import domain_of, is_address
from app.adapters.mail.client import MailAccount, MailServer
from app.adapters.mail.letter import Attachment, Letter
from app.adapters.mail.outcomes import NotNow, Outcome, Refused, Taken

__all__ = [
    "Attachment",
    "Letter",
    "MailAccount",
    "MailServer",
    "NotNow",
    "Outcome",
    "Refused",
    "Taken",
    "domain_of",
    "is_address",
]
