"""Bank statements, and which of their lines are WeChat's settlements."""

import sqlalchemy as sa
from alembic import op

from migrations.words import append_only, written_down

revision = "0042"
down_revision = "0041"


def upgrade() -> None:
    _statements()
    _lines()
    _arrivals()
    append_only("bank_statement", "bank_line", "settlement_arrival")
    written_down("bank_statement", "payee_id", "format", "sha256", "lines", "closing_fen", "imported_by")


def _id() -> sa.Column:
    return sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True)


def _number(name: str) -> sa.Column:
    return sa.Column(name, sa.BigInteger, nullable=False)


def _text(name: str) -> sa.Column:
    return sa.Column(name, sa.Text, nullable=False)


def _moment(name: str) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


def _statements() -> None:
    op.create_table(
        "bank_statement",
        _id(),
        sa.Column("key", sa.Uuid, nullable=False),
        sa.Column("payee_id", sa.BigInteger, sa.ForeignKey("payee.id"), nullable=False),
        _text("format"),
        _text("account"),
        sa.Column("sha256", sa.LargeBinary, nullable=False),
        *(_number(name) for name in ("lines", "opening_fen", "moved_fen", "closing_fen")),
        _text("imported_by"),
        _moment("imported_at"),
        sa.UniqueConstraint("key", name="uq_bank_statement_key"),
        sa.UniqueConstraint("payee_id", "sha256", name="a_statement_is_imported_once"),
        sa.CheckConstraint("format IN ('csv', 'camt053')", name="a_statement_is_of_a_known_format"),
        sa.CheckConstraint("opening_fen + moved_fen = closing_fen", name="a_statement_adds_up"),
    )


def _lines() -> None:
    op.create_table(
        "bank_line",
        sa.Column("statement_id", sa.BigInteger, sa.ForeignKey("bank_statement.id"), nullable=False),
        _number("number"),
        sa.Column("booked_on", sa.Date, nullable=False),
        _number("amount_fen"),
        _text("reference"),
        sa.PrimaryKeyConstraint("statement_id", "number", name="pk_bank_line"),
    )
    op.create_index("ix_bank_line_amount_fen_booked_on", "bank_line", ["amount_fen", "booked_on"])


def _arrivals() -> None:
    op.create_table(
        "settlement_arrival",
        _id(),
        _text("flow_id"),
        _number("statement_id"),
        _number("line"),
        sa.Column("by_reference", sa.Boolean, nullable=False),
        _moment("found_at"),
        sa.UniqueConstraint("flow_id", name="a_settlement_arrives_once"),
        sa.UniqueConstraint("statement_id", "line", name="a_bank_line_is_one_settlement"),
        sa.ForeignKeyConstraint(
            ["statement_id", "line"],
            ["bank_line.statement_id", "bank_line.number"],
            name="a_settlement_arrives_by_a_line_of_the_bank",
        ),
    )


def downgrade() -> None:
    for table in ("settlement_arrival", "bank_line", "bank_statement"):
        op.drop_table(table)
