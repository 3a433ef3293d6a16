"""What a treasury refuses before it was sent is due again; what left the bank has not arrived by that."""

import sqlalchemy as sa
from alembic import op

from migrations.words import append_only, graph, written_down

revision = "0066"
down_revision = "0065"

STEPS = (
    ("approved", "refuse", "refused"),
    ("sent", "leave", "left"),
    ("left", "receive", "received"),
    ("left", "bounce", "bounced"),
)
KNOWN = ("draft", "approved", "returned", "withdrawn", "sent", "received", "bounced")
DEAD, GONE, DECIDED = ("returned", "withdrawn", "bounced"), ("sent", "received"), ("approved", "returned", "bounced")
LEFT = """ELSIF NEW.state = 'left' AND NOT EXISTS (
                SELECT FROM remittance_receipt WHERE batch_id = NEW.id AND statement_id IS NOT NULL
            ) THEN
                broken := 'a_batch_that_left_has_its_bank_line';
            ELSIF NEW.state = 'refused' AND NOT EXISTS (SELECT FROM remittance_refusal WHERE batch_id = NEW.id) THEN
                broken := 'a_refused_batch_has_its_paper';
            """


def upgrade() -> None:
    """What a line of the bank proved before stays received: it was written down so."""
    graph("remittance", STEPS)
    _states(also=("left",), dead=("refused",))
    _refusals()
    op.drop_constraint("a_batch_is_received_once", "remittance_receipt")
    _once("a_batch_leaves_by_one_line", "statement_id IS NOT NULL")
    _once("a_batch_is_received_once", "number IS NOT NULL")
    _moved(" AND number IS NOT NULL", LEFT)
    _bound("'approved', 'sent', 'left', 'received'")


def _once(name: str, of: str) -> None:
    op.create_index(name, "remittance_receipt", ["batch_id"], unique=True, postgresql_where=sa.text(of))


def _one_of(*states: str) -> str:
    return f"state IN ({', '.join(repr(each) for each in states)})"


def _states(also: tuple[str, ...] = (), dead: tuple[str, ...] = ()) -> None:
    """In these states too a batch is known; some of them have its document, others are another person's word and dead."""
    gone = _one_of(*GONE, *also, "bounced")
    told = {
        ("remittance_batch", "a_batch_is_in_a_known_state"): _one_of(*KNOWN, *also, *dead),
        ("remittance_batch", "what_is_sent_has_its_document"): f"({gone}) = (document_number IS NOT NULL)",
        ("remittance_step", "a_batch_is_decided_by_another_person"): f"NOT {_one_of(*DECIDED, *dead)} OR by <> made_by",
    }
    for (table, name), holds in told.items():
        op.drop_constraint(name, table)
        op.create_check_constraint(name, table, holds)
    _alive(f"NOT {_one_of(*DEAD, *dead)}")


def _alive(holds: str) -> None:
    op.drop_constraint("a_day_is_remitted_once", "remittance_batch")
    op.drop_constraint("a_remittance_line_follows_its_batch", "remittance_line")
    op.drop_constraint("a_batch_is_live_or_not", "remittance_batch")
    op.drop_column("remittance_batch", "is_live")
    op.add_column(
        "remittance_batch", sa.Column("is_live", sa.Boolean, sa.Computed(holds, persisted=True), nullable=False)
    )
    key = ["id", "payee_id", "is_live"]
    op.create_unique_constraint("a_batch_is_live_or_not", "remittance_batch", key)
    op.create_foreign_key(
        "a_remittance_line_follows_its_batch", "remittance_line", "remittance_batch", ["batch_id", *key[1:]], key,
        onupdate="CASCADE", postgresql_not_valid=True,
    )  # fmt: skip
    op.create_exclude_constraint(
        "a_day_is_remitted_once", "remittance_batch", ("payee_id", "="), ("days", "&&"), where=sa.text(holds),
        using="gist",
    )  # fmt: skip


def _refusals() -> None:
    op.create_table(
        "remittance_refusal",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("batch_id", sa.BigInteger, sa.ForeignKey("remittance_batch.id"), nullable=False),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("refused_on", sa.Date, nullable=False),
        sa.Column("file_id", sa.BigInteger, sa.ForeignKey("stored_file.id"), nullable=False),
        sa.Column("recorded_by", sa.Text, nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("batch_id", name="a_batch_is_refused_once"),
        sa.UniqueConstraint("number", name="a_treasurys_refusal_is_of_one_batch"),
        sa.CheckConstraint("number <> ''", name="a_treasurys_refusal_has_its_number"),
        sa.CheckConstraint(
            "refused_on <= (recorded_at AT TIME ZONE 'Asia/Shanghai')::date", name="a_treasurys_refusal_is_not_to_come"
        ),
    )
    append_only("remittance_refusal")
    written_down("remittance_refusal", "batch_id", "number", "refused_on", "recorded_by")


def _moved(by_treasury: str, also: str) -> None:
    """Looked at when the transaction ends: each state has who and why, its journal, and the paper that proves it."""
    op.execute(
        f"""
        CREATE OR REPLACE FUNCTION a_batch_moves_with_its_papers() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            broken text;
        BEGIN
            IF NOT EXISTS (SELECT FROM remittance_step WHERE batch_id = NEW.id AND state = NEW.state) THEN
                broken := 'a_batch_tells_each_step';
            ELSIF NEW.state = 'sent' AND NOT EXISTS (
                SELECT FROM journal JOIN posting ON posting.journal_id = journal.id
                JOIN account ON account.id = posting.account_id
                WHERE journal.kind = 'remittance' AND business_ref = 'remittance:' || NEW.key
                  AND journal.payee_id = NEW.payee_id AND code = 'due_to_treasury'
                  AND posting.amount_fen = NEW.amount_fen
            ) THEN
                broken := 'a_sent_batch_is_in_the_books';
            ELSIF NEW.state = 'received' AND NOT EXISTS (
                SELECT FROM remittance_receipt WHERE batch_id = NEW.id{by_treasury}
            ) THEN
                broken := 'a_received_batch_has_its_receipt';
            {also}ELSIF NEW.state = 'bounced' AND NOT EXISTS (
                SELECT FROM remittance_bounce bounce JOIN journal ON journal.kind = 'remittance_bounce'
                 AND business_ref = 'remittance:' || NEW.key AND journal.payee_id = NEW.payee_id
                JOIN posting ON posting.journal_id = journal.id AND posting.amount_fen = -NEW.amount_fen
                JOIN account ON account.id = posting.account_id AND code = 'due_to_treasury'
                WHERE bounce.batch_id = NEW.id
            ) THEN
                broken := 'a_bounced_batch_has_its_paper_and_is_in_the_books';
            END IF;
            IF broken IS NOT NULL THEN
                RAISE EXCEPTION 'batch % is %: %', NEW.id, NEW.state, broken
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = broken;
            END IF;
            RETURN NULL;
        END $$
        """
    )


def _bound(states: str) -> None:
    """In these states a batch is the treasury's: what goes back of it goes back by 退付."""
    op.execute(
        f"""
        CREATE OR REPLACE FUNCTION a_refund_goes_the_way_of_its_money() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            remitted_in bigint;
            standing    text;
        BEGIN
            IF NOT NEW.surplus AND NEW.amount_fen > NEW.from_prepaid_fen THEN
                SELECT line.batch_id INTO remitted_in
                FROM charge JOIN journal ON journal.kind = 'recognition' AND business_ref = 'charge:' || charge.key
                JOIN posting ON posting.journal_id = journal.id
                JOIN remittance_line line ON line.posting_id = posting.id AND line.is_live
                WHERE charge.id = NEW.charge_id;
                SELECT state INTO standing FROM remittance_batch WHERE id = remitted_in FOR SHARE;
            END IF;
            IF (NEW.way = 'treasury') <> coalesce(standing IN ({states}), false) THEN
                RAISE EXCEPTION 'a refund of charge % cannot go by way of the %', NEW.charge_id, NEW.way
                    USING ERRCODE = 'integrity_constraint_violation',
                          CONSTRAINT = 'a_refund_goes_the_way_of_its_money';
            END IF;
            RETURN NEW;
        END $$
        """
    )


def downgrade() -> None:
    """Only where no treasury refused and no batch has merely left: nothing is forgotten."""
    op.execute(
        """
        DO $$ BEGIN
            IF EXISTS (SELECT FROM remittance_step WHERE state IN ('left', 'refused')) THEN
                RAISE EXCEPTION 'batches left or were refused: this step cannot be taken back';
            END IF;
        END $$
        """
    )
    _bound("'approved', 'sent', 'received'")
    _moved("", "")
    for name in ("a_batch_leaves_by_one_line", "a_batch_is_received_once"):
        op.drop_index(name, "remittance_receipt")
    op.create_unique_constraint("a_batch_is_received_once", "remittance_receipt", ["batch_id"])
    op.drop_table("remittance_refusal")
    _states()
    for source, event, target in STEPS:
        op.execute(
            "DELETE FROM state_transition WHERE machine = 'remittance' AND (from_state, event, to_state) = "
            f"('{source}', '{event}', '{target}')"
        )
