"""退付: what was remitted comes back from the treasury, not from the sub-merchant; the database tells which way."""

import sqlalchemy as sa
from alembic import op

from migrations.words import grant, graph

revision = "0048"
down_revision = "0047"

STEPS = (("approved", "file", "filed"), ("filed", "pay", "success"), ("filed", "refuse", "closed"))
KNOWN = (
    "state IN ('requested', 'rejected', 'approved', 'submitting', 'unknown', 'stopping', 'processing', 'success', "
    "'closed', 'abnormal')"
)
UNSENT = "state IN ('requested', 'approved', 'rejected')"
FORMER = (
    "body", "refund_id", "state", "moved_at", "next_check_at", "checks", "decided_by", "decided_at", "decided_because",
)  # fmt: skip
PAPERS = ("document_number", "voucher_number")
CONDITIONS = {
    "a_refund_goes_one_of_two_ways": "way IN ('channel', 'treasury')",
    "only_earned_treasury_money_comes_from_the_treasury": (
        "way = 'channel' OR regime = 'TREASURY' AND from_prepaid_fen = 0 AND NOT surplus AND asked_by <> 'platform'"
    ),
    "what_the_treasury_returns_needs_two_persons": (
        "way = 'channel' OR state IN ('requested', 'rejected') OR decided_by IS NOT NULL"
    ),
    "a_refund_takes_the_steps_of_its_way": (
        "CASE way WHEN 'channel' THEN state <> 'filed' "
        "ELSE state IN ('requested', 'rejected', 'approved', 'filed', 'success', 'closed') END"
    ),
    "a_filed_refund_has_its_document": (
        "(way = 'treasury' AND state IN ('filed', 'success', 'closed')) = (document_number IS NOT NULL)"
    ),
    "a_treasury_pays_under_a_voucher": "(way = 'treasury' AND state = 'success') = (voucher_number IS NOT NULL)",
    "a_refunds_papers_have_numbers": "document_number <> '' AND voucher_number <> ''",
}


def upgrade() -> None:
    op.add_column("refund", sa.Column("way", sa.Text, nullable=False, server_default="channel"))
    for name in PAPERS:
        op.add_column("refund", sa.Column(name, sa.Text, nullable=True))
    graph("refund", STEPS)
    _say_instead("a_refund_is_in_a_known_state", KNOWN.replace("'approved',", "'approved', 'filed',"))
    _say_instead("a_refund_that_was_sent_says_what", f"({UNSENT} OR way = 'treasury') = (body IS NULL)")
    for name, holds in CONDITIONS.items():
        op.create_check_constraint(name, "refund", holds)
    _terms((*FORMER, *PAPERS), "".join(f"AND (OLD.{name} IS NULL OR OLD.{name} = NEW.{name}) " for name in PAPERS))
    grant(f"UPDATE ({', '.join(PAPERS)})", "refund")
    _way()


def _say_instead(constraint: str, holds: str) -> None:
    op.drop_constraint(constraint, "refund")
    op.create_check_constraint(constraint, "refund", holds)


def _terms(changing: tuple[str, ...], also: str = "") -> None:
    """What was asked for stays as it was; so do a request that was sent, a decision and a paper once they are there."""
    kept = ", ".join(f"'{column}'" for column in changing)
    op.execute(
        f"""
        CREATE OR REPLACE FUNCTION refund_terms_are_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - ARRAY[{kept}] = to_jsonb(OLD) - ARRAY[{kept}]
               AND (OLD.body IS NULL OR OLD.body = NEW.body)
               AND (OLD.refund_id IS NULL OR OLD.refund_id IS NOT DISTINCT FROM NEW.refund_id)
               AND (OLD.decided_by IS NULL OR OLD.decided_by IS NOT DISTINCT FROM NEW.decided_by) {also}THEN
                RETURN NEW;
            END IF;
            RAISE EXCEPTION 'the terms of a refund are fixed'
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'refund_terms_are_fixed';
        END $$
        """
    )


def _way() -> None:
    """Earned money that lies in a batch which somebody approved is the treasury's; every other goes back as it came.

    The batch's row is held until the refund is there: whoever approves it meanwhile waits.
    """
    op.execute(
        """
        CREATE FUNCTION a_refund_goes_the_way_of_its_money() RETURNS trigger LANGUAGE plpgsql AS $$
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
            IF (NEW.way = 'treasury') <> coalesce(standing IN ('approved', 'sent', 'received'), false) THEN
                RAISE EXCEPTION 'a refund of charge % cannot go by way of the %', NEW.charge_id, NEW.way
                    USING ERRCODE = 'integrity_constraint_violation',
                          CONSTRAINT = 'a_refund_goes_the_way_of_its_money';
            END IF;
            RETURN NEW;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER a_refund_goes_the_way_of_its_money BEFORE INSERT ON refund "
        "FOR EACH ROW EXECUTE FUNCTION a_refund_goes_the_way_of_its_money()"
    )


def downgrade() -> None:
    """Only where nothing went the treasury's way: a step that would forget money is not taken."""
    op.execute(
        """
        DO $$ BEGIN
            IF EXISTS (SELECT FROM refund WHERE way = 'treasury') THEN
                RAISE EXCEPTION 'refunds went the way of the treasury: this step cannot be taken back';
            END IF;
        END $$
        """
    )
    op.execute("DROP TRIGGER a_refund_goes_the_way_of_its_money ON refund")
    op.execute("DROP FUNCTION a_refund_goes_the_way_of_its_money")
    _terms(FORMER)
    for name in CONDITIONS:
        op.drop_constraint(name, "refund")
    _say_instead("a_refund_that_was_sent_says_what", f"({UNSENT}) = (body IS NULL)")
    _say_instead("a_refund_is_in_a_known_state", KNOWN)
    for name in (*PAPERS, "way"):
        op.drop_column("refund", name)
    for source, event, target in STEPS:
        op.execute(
            f"DELETE FROM state_transition WHERE machine = 'refund' AND (from_state, event, to_state) = "
            f"('{source}', '{event}', '{target}')"
        )
