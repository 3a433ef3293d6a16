"""Each bank line is one thing: a settlement, a remittance, its return, or what two persons say that it is."""

import sqlalchemy as sa
from alembic import op

from migrations.words import append_only, grant, written_down

revision = "0075"
down_revision = "0074"

DECISION = "'state', 'decided_by', 'decided_at', 'decided_because'"
USES = {
    "settlement_arrival": ("INSERT", "true"),
    "remittance_receipt": ("INSERT", "{row}.statement_id IS NOT NULL"),
    "return_arrival": ("INSERT", "true"),
    "line_meaning": ("INSERT OR UPDATE OF state", "{row}.state = 'accepted'"),
}


def upgrade() -> None:
    _returns()
    _meanings()
    append_only("return_arrival")
    written_down("return_arrival", "batch_id", "payee_id", "amount_fen", "statement_id", "line")
    grant("SELECT, INSERT, UPDATE (state, decided_by, decided_at, decided_because)", "line_meaning")
    written_down(
        "line_meaning", "statement_id", "line", "payee_id", "amount_fen", "meaning", "state", "made_by", "decided_by",
        moving="state",
    )  # fmt: skip
    _decided_once()
    _posted()
    _one_thing()
    _watched_from_now_on()


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False)


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=nullable)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False)


def _of_a_line(name: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["statement_id", "line", "amount_fen"], [f"bank_line.{each}" for each in ("statement_id", "number", "amount_fen")],
        name=name,
    )  # fmt: skip


def _of_its_bank(name: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["statement_id", "payee_id"], ["bank_statement.id", "bank_statement.payee_id"], name=name
    )


def _returns() -> None:
    op.create_table(
        "return_arrival",
        _id(), *(_number(name) for name in ("batch_id", "payee_id", "amount_fen", "statement_id", "line")),
        sa.Column("by_reference", sa.Boolean, nullable=False), _moment("found_at"),
        sa.PrimaryKeyConstraint("id", name="pk_return_arrival"),
        sa.ForeignKeyConstraint(["batch_id"], ["remittance_bounce.batch_id"], name="fk_return_arrival_batch_id"),
        sa.ForeignKeyConstraint(
            ["batch_id", "payee_id", "amount_fen"],
            [f"remittance_batch.{each}" for each in ("id", "payee_id", "amount_fen")], name="a_return_comes_back_whole",
        ),
        _of_a_line("a_return_comes_by_a_line_of_the_bank"),
        _of_its_bank("a_return_comes_to_its_own_payees_bank"),
        sa.UniqueConstraint("batch_id", name="a_return_comes_once"),
        sa.UniqueConstraint("statement_id", "line", name="a_bank_line_is_one_return"),
    )  # fmt: skip


def _meanings() -> None:
    op.create_table(
        "line_meaning",
        _id(), sa.Column("key", sa.Uuid, nullable=False),
        *(_number(name) for name in ("statement_id", "line", "payee_id")), _text("regime"), _number("amount_fen"),
        _text("meaning"), _text("because"), _text("made_by"), _moment("made_at"), _text("state"),
        _text("decided_by", nullable=True), _moment("decided_at", nullable=True),
        _text("decided_because", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_line_meaning"),
        sa.UniqueConstraint("key", name="uq_line_meaning_key"),
        _of_a_line("a_meaning_is_of_one_bank_line"),
        _of_its_bank("a_meaning_is_of_its_payees_bank"),
        sa.ForeignKeyConstraint(
            ["payee_id", "regime"], ["payee.id", "payee.regime"], name="a_meaning_has_its_payees_regime"
        ),
        sa.CheckConstraint("meaning IN ('fee_borne', 'elsewhere')", name="a_bank_line_means_a_known_thing"),
        sa.CheckConstraint(
            "meaning <> 'fee_borne' OR regime = 'TREASURY' AND amount_fen > 0", name="a_unit_bears_the_treasurys_fees"
        ),
        sa.CheckConstraint("state IN ('waiting', 'accepted', 'rejected')", name="a_meaning_is_in_a_known_state"),
        sa.CheckConstraint("decided_by <> made_by", name="a_meaning_is_decided_by_another_person"),
        sa.CheckConstraint(
            "num_nonnulls(decided_by, decided_at, decided_because) = CASE state WHEN 'waiting' THEN 0 ELSE 3 END",
            name="a_decided_meaning_says_how_and_why",
        ),
        sa.CheckConstraint("because <> '' AND decided_because <> ''", name="a_meaning_says_something"),
    )  # fmt: skip
    op.create_index(
        "a_bank_line_means_one_thing", "line_meaning", ["statement_id", "line"], unique=True,
        postgresql_where=sa.text("state <> 'rejected'"),
    )  # fmt: skip


def _decided_once() -> None:
    op.execute(
        f"""
        CREATE FUNCTION a_meaning_is_decided_once() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'DELETE' OR OLD.state <> 'waiting'
               OR to_jsonb(NEW) - ARRAY[{DECISION}] <> to_jsonb(OLD) - ARRAY[{DECISION}] THEN
                RAISE EXCEPTION 'what a bank line means is decided once and never rewritten'
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'a_meaning_is_decided_once';
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER a_meaning_is_decided_once BEFORE UPDATE OR DELETE ON line_meaning
            FOR EACH ROW EXECUTE FUNCTION a_meaning_is_decided_once();
        """
    )


def _posted() -> None:
    """In its payee's books and to the fen; the payee is held, so that two at once bear no more than was kept."""
    op.execute(
        """
        CREATE FUNCTION a_borne_fee_is_in_the_books() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            broken text;
        BEGIN
            PERFORM 1 FROM payee WHERE id = NEW.payee_id FOR NO KEY UPDATE;
            IF NOT EXISTS (
                SELECT FROM journal JOIN bank_statement statement ON statement.id = NEW.statement_id
                JOIN posting ON posting.journal_id = journal.id AND posting.amount_fen = -NEW.amount_fen
                JOIN account ON account.id = posting.account_id AND code = 'wx_fee'
                WHERE journal.kind = 'fee_borne' AND business_ref = 'bank:' || statement.key || ':' || NEW.line
                  AND journal.payee_id = NEW.payee_id
            ) THEN
                broken := 'a_borne_fee_is_in_the_books';
            ELSIF (
                SELECT sum(amount_fen) < 0 FROM account JOIN posting ON posting.account_id = account.id
                WHERE account.payee_id = NEW.payee_id AND code = 'wx_fee'
            ) THEN
                broken := 'no_more_is_borne_than_was_kept';
            END IF;
            IF broken IS NOT NULL THEN
                RAISE EXCEPTION 'line % of statement %: %', NEW.line, NEW.statement_id, broken
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = broken;
            END IF;
            RETURN NULL;
        END $$;
        CREATE CONSTRAINT TRIGGER a_borne_fee_is_in_the_books AFTER INSERT OR UPDATE ON line_meaning
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.state = 'accepted' AND NEW.meaning = 'fee_borne')
            EXECUTE FUNCTION a_borne_fee_is_in_the_books();
        """
    )


def _one_thing() -> None:
    """Whoever says what a line is holds it first, so that two who say different things queue there."""
    taken = " OR ".join(
        f"EXISTS (SELECT FROM {table} used WHERE used.statement_id = NEW.statement_id AND used.line = NEW.line "
        f"AND {which.format(row='used')})"
        for table, (_, which) in USES.items()
    )
    op.execute(
        f"""
        CREATE FUNCTION a_bank_line_is_one_thing() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
            SET search_path = public, pg_temp AS $$
        BEGIN
            PERFORM 1 FROM bank_line WHERE statement_id = NEW.statement_id AND number = NEW.line FOR NO KEY UPDATE;
            IF {taken} THEN
                RAISE EXCEPTION 'line % of statement % is something else', NEW.line, NEW.statement_id
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'a_bank_line_is_one_thing';
            END IF;
            RETURN NEW;
        END $$
        """
    )
    for table, (events, which) in USES.items():
        op.execute(
            f"CREATE TRIGGER {table}_is_one_thing BEFORE {events} ON {table} FOR EACH ROW "
            f"WHEN ({which.format(row='NEW')}) EXECUTE FUNCTION a_bank_line_is_one_thing()"
        )


def _watched_from_now_on() -> None:
    """Nobody is told at once of all lines of years that nobody had to explain; they are listed as loose all the same."""
    op.add_column("bank_statement", sa.Column("is_watched", sa.Boolean, nullable=False, server_default=sa.false()))
    op.alter_column("bank_statement", "is_watched", server_default=sa.true())


def downgrade() -> None:
    op.drop_column("bank_statement", "is_watched")
    for table in ("settlement_arrival", "remittance_receipt"):
        op.execute(f"DROP TRIGGER {table}_is_one_thing ON {table}")
    op.drop_table("line_meaning")
    op.drop_table("return_arrival")
    op.execute("DROP FUNCTION a_bank_line_is_one_thing, a_borne_fee_is_in_the_books, a_meaning_is_decided_once")
