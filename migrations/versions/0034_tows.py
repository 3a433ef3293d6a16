"""Calls about cars that do not leave, and tows."""

import sqlalchemy as sa
from alembic import op

from migrations.words import append_only, follows_graph, forget_graph, grant, graph

revision = "0034"
down_revision = "0033"

LIFE = [
    ("", "order", "ordered"),
    ("ordered", "approve", "approved"),
    ("approved", "carry_out", "towed"),
    ("ordered", "call_off", "off"),
    ("approved", "call_off", "off"),
]
CHANGING = "state, approved_by, approved_at, company, taken_to, reference, towed_at, ended_because"


def upgrade() -> None:
    _calls()
    _tows()
    append_only("overstay_call")
    graph("tow", LIFE)
    follows_graph("tow", "tow")
    grant(f"SELECT, INSERT, UPDATE ({CHANGING})", "tow")


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False)


def _number(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=nullable)


def _points(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=f"fk_{table}_{column}")


def _calls() -> None:
    op.create_table(
        "overstay_call",
        _id(), _number("stay_id"), _number("by_account"), _moment("at"), _text("result"),
        sa.PrimaryKeyConstraint("id", name="pk_overstay_call"),
        _points("overstay_call", "stay_id", "stay"),
        _points("overstay_call", "by_account", "staff_account"),
        sa.UniqueConstraint("id", "stay_id", "at", name="a_call_is_about_one_stay"),
        sa.CheckConstraint("result IN ('promised', 'refused', 'no_answer', 'no_number')", name="a_call_has_a_result"),
    )  # fmt: skip
    op.create_index("ix_overstay_call_stay_id", "overstay_call", ["stay_id"])


def _tows() -> None:
    op.create_table(
        "tow",
        _id(), sa.Column("key", sa.Uuid, nullable=False), _number("stay_id"), _moment("until"), _number("call_id"),
        _moment("called_at"), _text("state"), _text("why"), _number("ordered_by"), _moment("ordered_at"),
        _number("approved_by", nullable=True), _moment("approved_at", nullable=True), _text("company", nullable=True),
        _text("taken_to", nullable=True), _text("reference", nullable=True), _moment("towed_at", nullable=True),
        _text("ended_because", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_tow"),
        sa.UniqueConstraint("key", name="uq_tow_key"),
        _points("tow", "stay_id", "stay"),
        _points("tow", "ordered_by", "staff_account"),
        _points("tow", "approved_by", "staff_account"),
        sa.ForeignKeyConstraint(
            ["call_id", "stay_id", "called_at"],
            ["overstay_call.id", "overstay_call.stay_id", "overstay_call.at"],
            name="a_tow_rests_on_a_call_about_the_same_car",
        ),
        sa.CheckConstraint("state IN ('ordered', 'approved', 'towed', 'off')", name="a_tow_is_in_a_known_state"),
        sa.CheckConstraint("why <> ''", name="a_tow_has_its_reason"),
        sa.CheckConstraint("until < called_at AND called_at < ordered_at", name="a_tow_comes_after_the_call"),
        sa.CheckConstraint("approved_by <> ordered_by", name="nobody_approves_his_own_tow"),
        sa.CheckConstraint("(approved_by IS NULL) = (approved_at IS NULL)", name="an_approved_tow_says_who_and_when"),
        sa.CheckConstraint(
            "state NOT IN ('approved', 'towed') OR approved_by IS NOT NULL", name="a_car_is_towed_upon_approval"
        ),
        sa.CheckConstraint(
            "num_nonnulls(company, taken_to, reference, towed_at) = CASE state WHEN 'towed' THEN 4 ELSE 0 END",
            name="a_tow_tells_where_the_car_is",
        ),
        sa.CheckConstraint("(state = 'off') = (ended_because IS NOT NULL)", name="a_tow_that_is_off_says_why"),
    )  # fmt: skip
    op.create_index(
        "a_car_is_towed_once_at_a_time", "tow", ["stay_id"], unique=True, postgresql_where=sa.text("state <> 'off'")
    )


def downgrade() -> None:
    op.drop_table("tow")
    forget_graph("tow")
    op.drop_table("overstay_call")
