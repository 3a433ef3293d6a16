"""Journals that somebody says are wrong, and what another person decided."""

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.base import Base, Id
from app.kernel.two_persons import Request
from payments.charges.rules import words
from payments.parity.rules import CORRECTION_STATES


class Correction(Request, Base):
    """Somebody says that a journal is not what happened, and why (冲正); another person decides.

    Accepted means: it is reversed, and where something did happen, a journal of kind `correction` says what. Nobody
    types its lines: they are recomputed from the event, and both persons see the same. The database looks at the
    commit.
    """

    __tablename__ = "correction"
    __table_args__ = (
        ForeignKeyConstraint(
            ["journal_id", "payee_id"], ["journal.id", "journal.payee_id"], name="a_correction_is_of_one_payees_journal"
        ),
        CheckConstraint(f"state IN ({words(CORRECTION_STATES)})", name="a_correction_is_in_a_known_state"),
        CheckConstraint("decided_by <> made_by", name="a_correction_is_decided_by_another_person"),
        CheckConstraint(
            "num_nonnulls(decided_by, decided_at, decided_because) = CASE state WHEN 'waiting' THEN 0 ELSE 3 END",
            name="a_decided_correction_says_how_and_why",
        ),
        CheckConstraint("because <> '' AND decided_because <> ''", name="a_correction_says_something"),
        CheckConstraint("(instead IS NULL) = (instead_payee_id IS NULL)", name="what_stands_instead_has_its_payee"),
        Index("a_journal_is_corrected_once", "journal_id", unique=True, postgresql_where=text("state <> 'rejected'")),
    )

    id: Mapped[Id]
    journal_id: Mapped[int]
    payee_id: Mapped[int]
    instead_payee_id: Mapped[int | None] = mapped_column(ForeignKey("payee.id"))
    instead: Mapped[dict[str, int] | None] = mapped_column(JSONB(none_as_null=True))
    """What its event comes to: for each account how many fen, a debit positive; none: nothing stands in its place."""
