"""A letter, and how it is written for the wire (RFC 5322, MIME)."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import Final

from app.adapters.mail.addresses import domain_of

SENDER_NAME: Final = "共泊停车票据"


@dataclass(frozen=True)
class Attachment:
    """A PDF under a name of ASCII letters, which every mail program shows as it is."""

    name: str
    content: bytes = field(repr=False)


@dataclass(frozen=True)
class Letter:
    """What is written to one address. `key` and `written_at` are the same however often it is sent."""

    key: uuid.UUID
    to: str = field(repr=False)
    subject: str
    text: str
    written_at: datetime
    attachments: Sequence[Attachment]


def on_the_wire(letter: Letter, sender: str) -> bytes:
    """The letter in bytes. Its Message-ID follows from its key: who gets it twice can see that it is one.

    A line end within a header raises `ValueError`, so nothing can be smuggled in; bodies are base64.
    """
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(SENDER_NAME, addr_spec=sender)
    message["To"] = Address(addr_spec=letter.to)
    message["Subject"] = letter.subject
    message["Date"] = letter.written_at
    message["Message-ID"] = f"<{letter.key.hex}@{domain_of(sender)}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text, cte="base64")
    for each in letter.attachments:
        message.add_attachment(each.content, maintype="application", subtype="pdf", filename=each.name)
    return message.as_bytes()
