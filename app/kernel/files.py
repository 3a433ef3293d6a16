"""Documents that people hand in - agreements, evidence, photos - kept as they came, with their SHA-256."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import CheckConstraint, ForeignKey, select
from sqlalchemy.orm import Mapped, mapped_column, undefer

from app.kernel import clock
from app.kernel.base import Base, Id, Key
from app.kernel.db import transaction
from app.kernel.refusals import Invalid, NotFound

LARGEST: Final = 10 * 1024 * 1024
LONGEST_NAME: Final = 200
MAGIC: Final = {b"%PDF-": "application/pdf", b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}
"""How a file of each kind begins; what a name or a sender says of itself is not asked."""


class FileRefused(Invalid):
    """Not a PDF, PNG or JPEG, empty, or larger than 10 MB."""

    code = "file_refused"
    message = "文件须为 PDF、PNG 或 JPEG，且不超过 10 MB"


class FileNotKept(NotFound):
    """There is no such file."""

    code = "file_not_found"
    message = "未找到该文件"


class StoredFile(Base):
    """Stored file (存档文件); its content never changes, and the table itself proves the hash."""

    __tablename__ = "stored_file"
    id: Mapped[Id]
    key: Mapped[Key]
    sha256: Mapped[bytes]
    size: Mapped[int]
    media_type: Mapped[str]
    name: Mapped[str]
    content: Mapped[bytes] = mapped_column(deferred=True)
    stored_by: Mapped[int] = mapped_column(ForeignKey("staff_account.id"))
    stored_at: Mapped[datetime]
    __table_args__ = (
        CheckConstraint("sha256 = sha256(content)", name="a_stored_file_has_its_hash"),
        CheckConstraint("size = octet_length(content)", name="a_stored_file_has_its_size"),
        CheckConstraint("size BETWEEN 1 AND 10485760", name="a_stored_file_has_at_most_10_mb"),
        CheckConstraint(
            "media_type IN ('application/pdf', 'image/png', 'image/jpeg')", name="a_stored_file_is_of_a_known_kind"
        ),
        CheckConstraint(
            "starts_with(encode(substr(content, 1, 8), 'hex'), "
            "CASE media_type WHEN 'application/pdf' THEN '255044462d' "
            "WHEN 'image/png' THEN '89504e470d0a1a0a' ELSE 'ffd8ff' END)",
            name="a_stored_file_is_what_it_says",
        ),
        CheckConstraint("length(name) BETWEEN 1 AND 200", name="a_stored_file_has_a_name"),
    )


@dataclass(frozen=True)
class Paper:
    """A document as it is handed in: its bytes, and the name that it had."""

    content: bytes
    name: str


@dataclass(frozen=True)
class KeptPaper:
    """What is told of a stored file to whoever may see it: all but its content."""

    file_name: str
    media_type: str
    size: int
    sha256: str
    stored_at: datetime


def told_of(row: StoredFile) -> KeptPaper:
    """A stored file without its content."""
    return KeptPaper(row.name, row.media_type, row.size, row.sha256.hex(), row.stored_at)


def keep(paper: Paper, account_id: int) -> StoredFile:
    """Store a document as it came, under the last part of its name. Refuses `FileRefused`."""
    content, called = paper.content, plain_name(paper.name)
    media_type = media_type_of(content)
    if media_type is None or len(content) > LARGEST or not called:
        raise FileRefused
    with transaction() as session:
        row = StoredFile(
            sha256=hashlib.sha256(content).digest(), size=len(content), media_type=media_type, name=called,
            content=content, stored_by=account_id, stored_at=clock.now(),
        )  # fmt: skip
        session.add(row)
        session.flush()
        return row


def media_type_of(content: bytes) -> str | None:
    """What a file is by how it begins, or None when it is none of the kinds that are kept."""
    return next((kind for magic, kind in MAGIC.items() if content.startswith(magic)), None)


def plain_name(name: str) -> str:
    """A file's name without the folders before it and without what cannot be printed, at most 200 characters."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(sign for sign in last if sign.isprintable()).strip()[-LONGEST_NAME:]


def content_of(file_id: int) -> StoredFile:
    """A file with its content; who may see it is decided by whoever names it. Refuses `FileNotKept`."""
    with transaction() as session:
        row = session.scalar(select(StoredFile).filter_by(id=file_id).options(undefer(StoredFile.content)))
    if row is None:
        raise FileNotKept
    return row
