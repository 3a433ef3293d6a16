"""Reconciliation: runs, differences and their explanations, days that are signed off."""

import sqlalchemy as sa
from alembic import op

from migrations.words import append_only, follows_graph, forget_graph, grant, graph, written_down

revision = "0041"
down_revision = "0040"

DIFFERENCE = (
    ("", "find", "open"),
    ("", "hold", "held"),
    ("", "agree", "agreed"),
    ("open", "agree", "agreed"),
    ("held", "agree", "agreed"),
    ("open", "settle", "settled"),
    ("open", "suspend", "suspended"),
    ("held", "settle", "settled"),
    ("held", "suspend", "suspended"),
    ("open", "vanish", "gone"),
    ("held", "vanish", "gone"),
    ("agreed", "vanish", "gone"),
    ("settled", "vanish", "gone"),
    ("suspended", "vanish", "gone"),
)
CLASSES = (
    "'cross_day', 'missing_here', 'missing_there', 'amount_mismatch', 'duplicate_there', 'channel_mismatch', "
    "'status_stale', 'fee_mismatch', 'flow_missing', 'flow_extra', 'flow_mismatch'"
)
COUNTS = (
    "theirs", "theirs_fen", "ours", "ours_fen", "matched", "matched_fen", "theirs_differing", "theirs_differing_fen",
    "ours_differing", "ours_differing_fen",
)  # fmt: skip


def upgrade() -> None:
    op.create_index("ix_payment_channel_id_paid_at", "payment", ["channel_id", "paid_at"])
    op.create_index("ix_refund_channel_id_moved_at", "refund", ["channel_id", "moved_at"])
    _runs()
    _differences()
    _explanations()
    _sign_offs()
    append_only("recon_run", "day_proposal", "day_sign_off")
    grant("SELECT, INSERT, UPDATE (decided_by, decided_at, decided_because, accepted)", "explanation")
    changing = "state, owner, last_run_id, payment_id, refund_id, moved_at, next_check_at, tries"
    grant(f"SELECT, INSERT, UPDATE ({changing})", "difference")
    graph("difference", DIFFERENCE)
    follows_graph("difference", "difference")
    _two_persons()
    _closed_days()
    _only_what_is_explained()
    written_down("explanation", "difference_id", "made_by", "decided_by", "accepted", moving="accepted")
    written_down("day_sign_off", "channel_id", "day", "proposal_id", "made_by", "signed_by")


def _id() -> sa.Column:
    return sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True)


def _key() -> sa.Column:
    return sa.Column("key", sa.Uuid, nullable=False)


def _number(name: str, *, nullable: bool = False, to: str = "") -> sa.Column:
    points = [sa.ForeignKey(f"{to}.id")] if to else []
    return sa.Column(name, sa.BigInteger, *points, nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.Text, nullable=nullable)


def _moment(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _day() -> sa.Column:
    return sa.Column("day", sa.Date, nullable=False)


def _of_its_channel(name: str) -> sa.ForeignKeyConstraint:
    columns = ["merchant_channel.id", "merchant_channel.payee_id"]
    return sa.ForeignKeyConstraint(["channel_id", "payee_id"], columns, name=name)


def _runs() -> None:
    op.create_table(
        "recon_run",
        _id(), _number("channel_id"), _number("payee_id"), _day(), _number("trade_file_id", to="bill_file"),
        _number("flow_file_id", nullable=True, to="bill_file"), _moment("at"), *(_number(name) for name in COUNTS),
        _of_its_channel("a_run_is_of_its_payees_channel"),
        sa.UniqueConstraint("id", "channel_id", "day", name="a_run_is_of_one_day"),
        sa.CheckConstraint(
            "theirs = matched + theirs_differing AND theirs_fen = matched_fen + theirs_differing_fen",
            name="a_run_accounts_for_every_line_of_the_bill",
        ),
        sa.CheckConstraint(
            "ours = matched + ours_differing AND ours_fen = matched_fen + ours_differing_fen",
            name="a_run_accounts_for_every_payment_of_ours",
        ),
    )  # fmt: skip
    op.create_index("ix_recon_run_channel_id_day", "recon_run", ["channel_id", "day"])


def _differences() -> None:
    op.create_table(
        "difference",
        _id(), _key(), _number("channel_id"), _number("payee_id"), _day(), _text("class"), _text("subject"),
        _text("out_trade_no", nullable=True), _text("out_refund_no", nullable=True),
        _number("file_id", nullable=True), _number("line", nullable=True),
        _number("payment_id", nullable=True, to="payment"), _number("refund_id", nullable=True, to="refund"),
        _number("theirs_fen"), _number("ours_fen"),
        sa.Column("gap_fen", sa.BigInteger, sa.Computed("theirs_fen - ours_fen", persisted=True), nullable=False),
        _text("state"), _text("owner", nullable=True), _number("first_run_id", to="recon_run"),
        _number("last_run_id", to="recon_run"), _moment("opened_at"), _moment("moved_at"),
        _moment("next_check_at", nullable=True), _number("tries"),
        sa.UniqueConstraint("key", name="uq_difference_key"),
        _of_its_channel("a_difference_is_of_its_payees_channel"),
        sa.CheckConstraint(f"class IN ({CLASSES})", name="a_difference_is_of_a_known_class"),
        sa.CheckConstraint(
            "state IN ('open', 'held', 'agreed', 'settled', 'suspended', 'gone')",
            name="a_difference_is_in_a_known_state",
        ),
        sa.CheckConstraint("state <> 'suspended' OR owner IS NOT NULL", name="what_is_suspended_has_an_owner"),
    )  # fmt: skip
    once = ["channel_id", "day", "class", "subject"]
    live = sa.text("state <> 'gone'")
    op.create_index("a_difference_is_found_once", "difference", once, unique=True, postgresql_where=live)
    for name, column, holds in (
        ("ix_difference_next_check_at", "next_check_at", "next_check_at IS NOT NULL"),
        ("ix_difference_unexplained", "id", "state IN ('open', 'held')"),
        ("ix_difference_suspended", "id", "state = 'suspended'"),
    ):
        op.create_index(name, "difference", [column], postgresql_where=sa.text(holds))


def _explanations() -> None:
    op.create_table(
        "explanation",
        _id(), _key(), _number("difference_id", to="difference"), _text("because"), _text("made_by"),
        _moment("made_at"), _text("decided_by", nullable=True), _moment("decided_at", nullable=True),
        _text("decided_because", nullable=True), sa.Column("accepted", sa.Boolean, nullable=True),
        sa.UniqueConstraint("key", name="uq_explanation_key"),
        sa.CheckConstraint("decided_by <> made_by", name="an_explanation_is_decided_by_another_person"),
        sa.CheckConstraint(
            "num_nonnulls(decided_by, decided_at, decided_because, accepted) IN (0, 4)",
            name="a_decided_explanation_says_how_and_why",
        ),
        sa.CheckConstraint("because <> ''", name="an_explanation_says_something"),
    )  # fmt: skip
    waiting = sa.text("decided_by IS NULL")
    op.create_index(
        "a_difference_waits_for_one_decision", "explanation", ["difference_id"], unique=True, postgresql_where=waiting
    )


def _sign_offs() -> None:
    op.create_table(
        "day_proposal",
        _id(), _number("run_id"), _number("channel_id"), _day(), _text("made_by"), _moment("made_at"),
        sa.ForeignKeyConstraint(
            ["run_id", "channel_id", "day"], ["recon_run.id", "recon_run.channel_id", "recon_run.day"],
            name="a_proposal_is_of_its_runs_day",
        ),
        sa.UniqueConstraint("run_id", name="a_run_is_proposed_once"),
        sa.UniqueConstraint("id", "channel_id", "day", "made_by", name="a_proposal_is_somebodys"),
    )  # fmt: skip
    proposal = ["id", "channel_id", "day", "made_by"]
    op.create_table(
        "day_sign_off",
        _id(), _key(), _number("proposal_id"), _number("channel_id"), _number("payee_id"), _day(), _text("made_by"),
        _text("signed_by"), _moment("signed_at"),
        sa.UniqueConstraint("key", name="uq_day_sign_off_key"),
        sa.ForeignKeyConstraint(
            ["proposal_id", *proposal[1:]], [f"day_proposal.{name}" for name in proposal],
            name="a_sign_off_answers_its_proposal",
        ),
        _of_its_channel("a_sign_off_is_of_its_payees_channel"),
        sa.UniqueConstraint("channel_id", "day", name="a_day_is_signed_off_once"),
        sa.CheckConstraint("signed_by <> made_by", name="a_day_is_signed_off_by_another_person"),
    )  # fmt: skip


def _two_persons() -> None:
    """Nothing is settled or suspended unless another person accepted somebody's explanation; a decision stands."""
    op.execute(
        """
        CREATE FUNCTION a_difference_is_closed_by_two() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NEW.state IN ('settled', 'suspended') AND NEW.state <> OLD.state AND NOT EXISTS (
                SELECT FROM explanation WHERE difference_id = NEW.id AND accepted
            ) THEN
                RAISE EXCEPTION 'nobody accepted an explanation of difference %', NEW.id
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'a_difference_is_closed_by_two';
            END IF;
            RETURN NEW;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER a_difference_is_closed_by_two BEFORE UPDATE OF state ON difference "
        "FOR EACH ROW EXECUTE FUNCTION a_difference_is_closed_by_two()"
    )
    op.execute(
        """
        CREATE FUNCTION a_decision_stands() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'DELETE' OR OLD.decided_by IS NOT NULL
               OR (NEW.id, NEW.difference_id, NEW.because, NEW.made_by, NEW.made_at)
                  IS DISTINCT FROM (OLD.id, OLD.difference_id, OLD.because, OLD.made_by, OLD.made_at) THEN
                RAISE EXCEPTION 'an explanation is decided once and never rewritten'
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'a_decision_stands';
            END IF;
            RETURN NEW;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER a_decision_stands BEFORE UPDATE OR DELETE ON explanation "
        "FOR EACH ROW EXECUTE FUNCTION a_decision_stands()"
    )


def _closed_days() -> None:
    """A signed-off day gets no further bill, run or difference. Whoever writes one queues at the day's rows."""
    op.execute(
        """
        CREATE FUNCTION a_signed_day_stays_as_it_is() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            of_channel bigint;
            of_day     date;
        BEGIN
            IF TG_TABLE_NAME = 'bill_file' THEN
                IF NEW.state = 'refused' THEN RETURN NEW; END IF;
                SELECT channel_id, day INTO of_channel, of_day FROM bill_day WHERE id = NEW.day_id;
            ELSE
                of_channel := NEW.channel_id;
                of_day := NEW.day;
            END IF;
            PERFORM FROM bill_day WHERE channel_id = of_channel AND day = of_day ORDER BY id FOR UPDATE;
            IF EXISTS (SELECT FROM day_sign_off WHERE channel_id = of_channel AND day = of_day) THEN
                RAISE EXCEPTION 'the day % of channel % is signed off', of_day, of_channel
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'a_signed_day_stays_as_it_is';
            END IF;
            RETURN NEW;
        END $$
        """
    )
    for table in ("bill_file", "recon_run", "difference"):
        op.execute(
            f"CREATE TRIGGER {table}_of_a_signed_day BEFORE INSERT ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION a_signed_day_stays_as_it_is()"
        )


def _only_what_is_explained() -> None:
    """A day is signed off as its newest run left it, on the newest bills, with every difference explained."""
    op.execute(
        """
        CREATE FUNCTION a_signed_day_is_explained() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            run recon_run;
        BEGIN
            PERFORM FROM bill_day WHERE channel_id = NEW.channel_id AND day = NEW.day ORDER BY id FOR UPDATE;
            SELECT * INTO run FROM recon_run WHERE channel_id = NEW.channel_id AND day = NEW.day
            ORDER BY id DESC LIMIT 1;
            IF run.id IS DISTINCT FROM (SELECT run_id FROM day_proposal WHERE id = NEW.proposal_id)
               OR run.flow_file_id IS NULL
               OR EXISTS (
                   SELECT FROM bill_file file JOIN bill_day due ON due.id = file.day_id
                   WHERE due.channel_id = NEW.channel_id AND due.day = NEW.day AND file.state <> 'refused'
                     AND file.id > CASE due.kind WHEN 'trade' THEN run.trade_file_id ELSE run.flow_file_id END
               )
               OR EXISTS (
                   SELECT FROM difference WHERE channel_id = NEW.channel_id AND day = NEW.day
                   AND state IN ('open', 'held')
               ) THEN
                RAISE EXCEPTION 'the day % of channel % is not explained', NEW.day, NEW.channel_id
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'a_signed_day_is_explained';
            END IF;
            RETURN NEW;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER a_signed_day_is_explained BEFORE INSERT ON day_sign_off "
        "FOR EACH ROW EXECUTE FUNCTION a_signed_day_is_explained()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER bill_file_of_a_signed_day ON bill_file")
    op.drop_table("day_sign_off")
    op.drop_table("day_proposal")
    op.drop_table("explanation")
    forget_graph("difference")
    op.drop_table("difference")
    op.drop_table("recon_run")
    op.execute(
        "DROP FUNCTION a_difference_is_closed_by_two, a_decision_stands, a_signed_day_stays_as_it_is, "
        "a_signed_day_is_explained"
    )
    op.drop_index("ix_refund_channel_id_moved_at", "refund")
    op.drop_index("ix_payment_channel_id_paid_at", "payment")
