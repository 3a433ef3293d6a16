"""Blocks of the audit log, notes of anchors and of checks. The program reads blocks; only `seal_audit` writes them."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.base import Base, Id


class AuditBlock(Base):
    """A stretch of the log, closed for ever (审计区块): all entries of transactions `from_xid` ≤ x < `below_xid`.

    By transaction and not by number: an entry with a small number may be committed late, but no transaction below the
    oldest that runs can still add anything.
    """

    __tablename__ = "audit_block"
    __table_args__ = (
        CheckConstraint("entries > 0 AND octet_length(leaves) = entries * 40", name="a_block_lists_its_entries"),
        CheckConstraint("from_xid < below_xid AND first_id <= last_id", name="a_block_is_a_stretch"),
        CheckConstraint(
            "octet_length(root) = 32 AND octet_length(previous) = 32 AND octet_length(hash) = 32",
            name="a_block_rests_on_sha256",
        ),
        UniqueConstraint("previous", name="a_block_follows_one_block"),
    )

    block_no: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    from_xid: Mapped[int]
    below_xid: Mapped[int]
    first_id: Mapped[int]
    last_id: Mapped[int]
    entries: Mapped[int]
    total: Mapped[int]
    """How many entries there are up to the end of this block."""
    leaves: Mapped[bytes]
    """For each entry by number: the number (8 bytes) and the entry's digest (32 bytes)."""
    root: Mapped[bytes]
    """SHA-256 of the leaves."""
    previous: Mapped[bytes]
    sealed_at: Mapped[datetime]
    hash: Mapped[bytes]


class AuditAnchor(Base):
    """A note that a block's hash was kept outside (审计锚点): what a place has lost is missed by this."""

    __tablename__ = "audit_anchor"
    __table_args__ = (CheckConstraint("octet_length(digest) = 32", name="an_anchor_rests_as_sha256"),)

    id: Mapped[Id]
    block_no: Mapped[int] = mapped_column(ForeignKey("audit_block.block_no"))
    place: Mapped[str]
    digest: Mapped[bytes]
    at: Mapped[datetime]


class AuditCheck(Base):
    """One verification of the whole log (审计校验记录), and what it found."""

    __tablename__ = "audit_check"
    __table_args__ = (CheckConstraint("blocks >= 0 AND entries >= 0 AND faults >= 0", name="a_check_counts_upwards"),)

    id: Mapped[Id]
    at: Mapped[datetime]
    blocks: Mapped[int]
    entries: Mapped[int]
    faults: Mapped[int]
    found: Mapped[list[Any]]
    """The first faults, by kind, block and row."""
