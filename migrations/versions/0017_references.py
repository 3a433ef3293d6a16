"""The register of reference prices, approved sets, the rule that combines them, and bills that name all they rest on."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.words import append_only, follows_graph, forget_graph, grant, graph, only_ends

revision = "0017"
down_revision = "0016"

REFERENCE = (
    ("", "propose", "proposed"),
    ("proposed", "approve", "approved"),
    ("proposed", "decline", "declined"),
    ("approved", "supersede", "superseded"),
)
REFERENCE_SET = REFERENCE
TABLES = ("bill_basis", "cap_rule", "reference_set_member", "reference_set", "reference_version")
FUNCTIONS = (
    "a_proposed_reference_stays_as_it_was()",
    "a_reference_is_a_lot_or_a_zone()",
    "a_decided_set_keeps_its_members()",
    "an_approved_set_names_somebody()",
    "a_bill_adds_up()",
    "a_bill_rests_on_its_own_lot()",
)
SEARCHED = {
    "reference_version": (
        "SELECT DISTINCT reference_set.lot_id FROM changed JOIN reference_set_member USING (reference_id) "
        "JOIN reference_set ON reference_set.id = set_id WHERE reference_set.valid IS NOT NULL"
    ),
    "reference_set": "SELECT DISTINCT lot_id FROM changed WHERE valid IS NOT NULL",
    "cap_rule": (
        "SELECT lot.id FROM lot JOIN changed ON scope = 'city' OR scope = 'unit' AND scope_id = lot.unit_id "
        "OR scope = 'lot' AND scope_id = lot.id"
    ),
}
"""For each table that a search reads: which lots its changed rows belong to."""

FORMERLY_SEARCHED = {
    "reference_lot": "SELECT DISTINCT lot_reference.lot_id FROM changed r JOIN lot_reference ON reference_lot_id = r.id",
    "lot_reference": "SELECT DISTINCT lot_id FROM changed",
}
EVENTS = {"INSERT": "NEW", "UPDATE": "NEW", "DELETE": "OLD"}


def upgrade() -> None:
    op.alter_column("tariff_version", "published_at", new_column_name="stored_at")
    _versions()
    _sets()
    _rules()
    _keep_what_was_known()
    _guard_the_register()
    _guard_the_sets()
    _bills()
    for table, lots in SEARCHED.items():
        _tell_searches(table, lots)
    op.add_column("lot_tariff", sa.Column("running", sa.Text(), server_default="entry", nullable=False))
    op.create_check_constraint("a_running_stay_is_kept_or_split", "lot_tariff", "running IN ('entry', 'split')")
    op.create_index("ix_lot_tariff_lot_id_begin", "lot_tariff", ["lot_id", sa.text("lower(valid)")])


def _versions() -> None:
    op.add_column("reference_lot", sa.Column("kind", sa.Text(), server_default="lot", nullable=False))
    op.alter_column("reference_lot", "kind", server_default=None)
    op.create_check_constraint("a_reference_is_of_a_known_kind", "reference_lot", "kind IN ('lot', 'zone')")
    op.create_table(
        "reference_version",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("key", sa.Uuid(), nullable=False),
        sa.Column("reference_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("approval", sa.Text(), nullable=False),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.Column("outline", postgresql.JSONB(), nullable=True),
        sa.Column("tariff_id", sa.BigInteger(), nullable=False),
        sa.Column("valid", postgresql.TSTZRANGE(), nullable=False),
        sa.Column("file_id", sa.BigInteger(), nullable=True),
        sa.Column("corrects_id", sa.BigInteger(), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.BigInteger(), nullable=True),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_because", sa.Text(), nullable=True),
        postgresql.ExcludeConstraint(
            (sa.column("reference_id"), "="),
            (sa.column("valid"), "&&"),
            where=sa.text("state = 'approved'"),
            using="gist",
            name="a_reference_has_one_tariff_at_a_time",
        ),
        sa.CheckConstraint("approval <> ''", name="a_reference_names_its_approval"),
        sa.CheckConstraint(
            "latitude BETWEEN 29 AND 31 AND longitude BETWEEN 118 AND 121", name="a_reference_lies_in_hangzhou"
        ),
        sa.CheckConstraint(
            "num_nonnulls(latitude, longitude) IN (0, 2) AND (latitude IS NULL) = (outline IS NOT NULL)",
            name="a_reference_has_a_point_or_an_outline",
        ),
        sa.CheckConstraint("NOT isempty(valid)", name="a_reference_holds_for_some_time"),
        sa.CheckConstraint(
            "state IN ('proposed', 'approved', 'declined', 'superseded')", name="a_reference_is_in_a_known_state"
        ),
        sa.CheckConstraint(
            "state <> 'proposed' OR (proposed_by IS NOT NULL AND file_id IS NOT NULL)",
            name="a_reference_is_proposed_on_a_document",
        ),
        sa.CheckConstraint("state = 'declined' OR proposed_by <> decided_by", name="nobody_approves_his_own_reference"),
        sa.CheckConstraint(
            "(state = 'proposed') = (decided_at IS NULL) AND (decided_by IS NULL OR decided_at IS NOT NULL) "
            "AND (proposed_by IS NULL OR state = 'proposed' OR decided_by IS NOT NULL)",
            name="a_decided_reference_says_who_and_when",
        ),
        sa.ForeignKeyConstraint(["corrects_id"], ["reference_version.id"], name="fk_reference_version_corrects_id"),
        sa.ForeignKeyConstraint(["decided_by"], ["staff_account.id"], name="fk_reference_version_decided_by"),
        sa.ForeignKeyConstraint(["file_id"], ["stored_file.id"], name="fk_reference_version_file_id"),
        sa.ForeignKeyConstraint(["proposed_by"], ["staff_account.id"], name="fk_reference_version_proposed_by"),
        sa.ForeignKeyConstraint(["reference_id"], ["reference_lot.id"], name="fk_reference_version_reference_id"),
        sa.ForeignKeyConstraint(["tariff_id"], ["tariff_version.id"], name="fk_reference_version_tariff_id"),
        sa.PrimaryKeyConstraint("id", name="pk_reference_version"),
        sa.UniqueConstraint("key", name="uq_reference_version_key"),
        sa.UniqueConstraint("reference_id", "version", name="a_reference_numbers_each_version_once"),
        sa.UniqueConstraint("id", "tariff_id", name="a_reference_version_has_one_tariff"),
    )
    op.create_index(
        "a_reference_has_one_proposal",
        "reference_version",
        ["reference_id"],
        unique=True,
        postgresql_where=sa.text("state = 'proposed'"),
    )


def _sets() -> None:
    op.create_table(
        "reference_set",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("key", sa.Uuid(), nullable=False),
        sa.Column("lot_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("radius_m", sa.BigInteger(), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.BigInteger(), nullable=True),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_because", sa.Text(), nullable=True),
        sa.Column("valid", postgresql.TSTZRANGE(), nullable=True),
        postgresql.ExcludeConstraint(
            (sa.column("lot_id"), "="), (sa.column("valid"), "&&"), using="gist", name="a_lot_has_one_set_at_a_time"
        ),
        sa.CheckConstraint(
            "state IN ('proposed', 'approved', 'declined', 'superseded')", name="a_set_is_in_a_known_state"
        ),
        sa.CheckConstraint("state <> 'proposed' OR proposed_by IS NOT NULL", name="a_set_is_proposed_by_somebody"),
        sa.CheckConstraint("state = 'declined' OR proposed_by <> decided_by", name="nobody_approves_his_own_set"),
        sa.CheckConstraint(
            "(state = 'proposed') = (decided_at IS NULL) AND (decided_by IS NULL OR decided_at IS NOT NULL) "
            "AND (proposed_by IS NULL OR state = 'proposed' OR decided_by IS NOT NULL)",
            name="a_decided_set_says_who_and_when",
        ),
        sa.CheckConstraint(
            "(state IN ('approved', 'superseded')) = (valid IS NOT NULL) AND NOT isempty(valid)",
            name="an_approved_set_holds_for_some_time",
        ),
        sa.ForeignKeyConstraint(["decided_by"], ["staff_account.id"], name="fk_reference_set_decided_by"),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name="fk_reference_set_lot_id"),
        sa.ForeignKeyConstraint(["proposed_by"], ["staff_account.id"], name="fk_reference_set_proposed_by"),
        sa.PrimaryKeyConstraint("id", name="pk_reference_set"),
        sa.UniqueConstraint("key", name="uq_reference_set_key"),
        sa.UniqueConstraint("lot_id", "version", name="a_lot_numbers_each_set_once"),
        sa.UniqueConstraint("id", "lot_id", name="a_set_is_of_one_lot"),
    )
    for state, name in (("proposed", "a_lot_has_one_proposed_set"), ("approved", "a_lot_has_one_approved_set")):
        op.create_index(name, "reference_set", ["lot_id"], unique=True, postgresql_where=sa.text(f"state = '{state}'"))
    op.create_table(
        "reference_set_member",
        sa.Column("set_id", sa.BigInteger(), nullable=False),
        sa.Column("reference_id", sa.BigInteger(), nullable=False),
        sa.Column("distance_m", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("distance_m >= 0", name="a_distance_is_not_negative"),
        sa.ForeignKeyConstraint(["reference_id"], ["reference_lot.id"], name="fk_reference_set_member_reference_id"),
        sa.ForeignKeyConstraint(["set_id"], ["reference_set.id"], name="fk_reference_set_member_set_id"),
        sa.PrimaryKeyConstraint("set_id", "reference_id", name="pk_reference_set_member"),
    )
    op.create_index("ix_reference_set_member_reference_id", "reference_set_member", ["reference_id"])


def _rules() -> None:
    op.create_table(
        "cap_rule",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("scope_id", sa.BigInteger(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("legal_note", sa.Text(), nullable=False),
        sa.Column("valid", postgresql.TSTZRANGE(), nullable=False),
        sa.Column("set_by", sa.BigInteger(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.column("scope"), "="),
            (sa.column("scope_id"), "="),
            (sa.column("valid"), "&&"),
            using="gist",
            name="a_place_has_one_cap_rule_at_a_time",
        ),
        sa.CheckConstraint("(scope = 'city') = (scope_id = 0)", name="the_citys_cap_rule_names_no_place"),
        sa.CheckConstraint("scope IN ('city', 'unit', 'lot')", name="a_cap_rule_holds_for_city_unit_or_lot"),
        sa.CheckConstraint("rule IN ('lowest', 'highest', 'average')", name="a_cap_rule_is_one_of_three"),
        sa.CheckConstraint("legal_note <> ''", name="a_cap_rule_says_on_what_it_rests"),
        sa.CheckConstraint("NOT isempty(valid)", name="a_cap_rule_holds_for_some_time"),
        sa.ForeignKeyConstraint(["set_by"], ["staff_account.id"], name="fk_cap_rule_set_by"),
        sa.PrimaryKeyConstraint("id", name="pk_cap_rule"),
    )
    only_ends("cap_rule")


def _keep_what_was_known() -> None:
    """What was registered and approved before these tables were there is theirs from the beginning."""
    op.execute(
        """
        INSERT INTO reference_version (key, reference_id, version, approval, latitude, longitude, tariff_id, valid,
                                       why, state, proposed_at, decided_at)
        SELECT gen_random_uuid(), id, 1, coalesce(nullif(approval, ''), name), latitude, longitude, tariff_id, valid,
               '', 'approved', coalesce(lower(valid), now()), coalesce(lower(valid), now())
        FROM reference_lot
        """
    )
    op.execute(
        """
        INSERT INTO reference_set (key, lot_id, version, why, state, proposed_at, decided_at, valid)
        SELECT gen_random_uuid(), lot_id, 1, '', 'approved', min(approved_at), min(approved_at), tstzrange(NULL, NULL)
        FROM lot_reference GROUP BY lot_id
        """
    )
    op.execute(
        """
        INSERT INTO reference_set_member (set_id, reference_id)
        SELECT reference_set.id, reference_lot_id FROM lot_reference JOIN reference_set USING (lot_id)
        """
    )
    for table in FORMERLY_SEARCHED:
        _tell_searches_no_more(table)
    op.drop_table("lot_reference")
    op.execute("DROP TRIGGER reference_lot_only_ends ON reference_lot")
    op.drop_constraint("a_reference_lot_lies_in_hangzhou", "reference_lot", type_="check")
    for column in ("approval", "latitude", "longitude", "tariff_id", "valid"):
        op.drop_column("reference_lot", column)


def _guard_the_register() -> None:
    op.execute(
        """
        CREATE FUNCTION a_proposed_reference_stays_as_it_was() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF (OLD.state = 'proposed' AND OLD.valid IS DISTINCT FROM NEW.valid)
               OR (OLD.decided_at IS NOT NULL AND (OLD.decided_by, OLD.decided_at, OLD.decided_because)
                   IS DISTINCT FROM (NEW.decided_by, NEW.decided_at, NEW.decided_because))
               OR (NEW.valid IS DISTINCT FROM OLD.valid AND (lower(NEW.valid) IS DISTINCT FROM lower(OLD.valid)
                   OR NOT NEW.valid <@ OLD.valid OR isempty(NEW.valid))) THEN
                RAISE EXCEPTION 'what % % says stays', TG_TABLE_NAME, OLD.id
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_ARGV[0];
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER a_proposed_reference_stays_as_it_was BEFORE UPDATE ON reference_version FOR EACH ROW
            EXECUTE FUNCTION a_proposed_reference_stays_as_it_was('a_proposed_reference_stays_as_it_was');

        CREATE FUNCTION a_reference_is_a_lot_or_a_zone() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NOT EXISTS (
                SELECT FROM reference_lot
                WHERE id = NEW.reference_id AND (kind = 'zone') = (NEW.outline IS NOT NULL)
            ) OR NEW.corrects_id IS NOT NULL AND NOT EXISTS (
                SELECT FROM reference_version WHERE id = NEW.corrects_id AND reference_id = NEW.reference_id
            ) THEN
                RAISE EXCEPTION 'a lot has a point and a zone an outline, and each corrects itself'
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'a_reference_is_a_lot_or_a_zone';
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER a_reference_is_a_lot_or_a_zone BEFORE INSERT ON reference_version
            FOR EACH ROW EXECUTE FUNCTION a_reference_is_a_lot_or_a_zone();
        """
    )
    graph("reference_version", REFERENCE)
    follows_graph("reference_version", "reference_version")
    grant("SELECT, INSERT, UPDATE (state, valid, decided_by, decided_at, decided_because)", "reference_version")


def _guard_the_sets() -> None:
    op.execute(
        """
        CREATE TRIGGER a_decided_set_stays_as_it_was BEFORE UPDATE ON reference_set FOR EACH ROW
            WHEN (OLD.state <> 'proposed')
            EXECUTE FUNCTION a_proposed_reference_stays_as_it_was('a_decided_set_stays_as_it_was');

        CREATE FUNCTION a_decided_set_keeps_its_members() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM FROM reference_set WHERE id = NEW.set_id AND state = 'proposed' FOR NO KEY UPDATE;
            IF NOT FOUND THEN
                RAISE EXCEPTION 'set % is decided', NEW.set_id
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'a_decided_set_keeps_its_members';
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER a_decided_set_keeps_its_members BEFORE INSERT ON reference_set_member
            FOR EACH ROW EXECUTE FUNCTION a_decided_set_keeps_its_members();

        CREATE FUNCTION an_approved_set_names_somebody() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NOT EXISTS (SELECT FROM reference_set_member WHERE set_id = NEW.id) THEN
                RAISE EXCEPTION 'set % is empty', NEW.id
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'an_approved_set_names_somebody';
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER an_approved_set_names_somebody BEFORE UPDATE OF state ON reference_set FOR EACH ROW
            WHEN (NEW.state = 'approved') EXECUTE FUNCTION an_approved_set_names_somebody();
        """
    )
    graph("reference_set", REFERENCE_SET)
    follows_graph("reference_set", "reference_set")
    append_only("reference_set_member")
    grant("SELECT, INSERT, UPDATE (state, valid, decided_by, decided_at, decided_because)", "reference_set")


def _bills() -> None:
    """What a bill says of tariffs and caps is what its basis adds up to; the basis is the very lot's."""
    op.create_unique_constraint("a_lots_tariff_is_one_version", "lot_tariff", ["id", "tariff_id"])
    op.add_column("bill", sa.Column("cap_rule", sa.Text(), nullable=True))
    op.execute("UPDATE bill SET cap_rule = 'lowest' WHERE cap_fen IS NOT NULL")
    op.create_check_constraint(
        "a_cap_says_how_it_was_found",
        "bill",
        "(cap_fen IS NULL) = (cap_rule IS NULL) AND cap_rule IN ('lowest', 'highest', 'average')",
    )
    op.create_table(
        "bill_basis",
        sa.Column("bill_id", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("tariff_id", sa.BigInteger(), nullable=False),
        sa.Column("lot_tariff_id", sa.BigInteger(), nullable=True),
        sa.Column("reference_version_id", sa.BigInteger(), nullable=True),
        sa.Column("begins_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "num_nonnulls(lot_tariff_id, reference_version_id) = 1", name="a_basis_is_the_lots_own_or_a_references"
        ),
        sa.CheckConstraint("ends_at >= begins_at AND fen >= 0", name="a_basis_prices_a_span"),
        sa.ForeignKeyConstraint(["bill_id"], ["bill.id"], name="fk_bill_basis_bill_id"),
        sa.ForeignKeyConstraint(
            ["lot_tariff_id", "tariff_id"], ["lot_tariff.id", "lot_tariff.tariff_id"],
            name="a_bill_names_the_lots_own_version",
        ),
        sa.ForeignKeyConstraint(
            ["reference_version_id", "tariff_id"], ["reference_version.id", "reference_version.tariff_id"],
            name="a_bill_names_a_references_version",
        ),
        sa.PrimaryKeyConstraint("bill_id", "place", name="pk_bill_basis"),
    )  # fmt: skip
    append_only("bill_basis")
    op.execute(bill_says_the_same("free_span_id", "waived_fen", "cap_rule"))
    op.execute(ADDS_UP)


ADDS_UP = """
    CREATE FUNCTION a_bill_adds_up() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE which bigint := CASE TG_TABLE_NAME WHEN 'bill' THEN (to_jsonb(NEW)->>'id')::bigint
                                               ELSE (to_jsonb(NEW)->>'bill_id')::bigint END;
    BEGIN
        IF EXISTS (
            SELECT FROM bill, LATERAL (
                SELECT sum(fen) FILTER (WHERE lot_tariff_id IS NOT NULL) AS own,
                       CASE bill.cap_rule
                           WHEN 'highest' THEN max(fen) FILTER (WHERE reference_version_id IS NOT NULL)
                           WHEN 'average' THEN sum(fen) FILTER (WHERE reference_version_id IS NOT NULL)
                               / count(*) FILTER (WHERE reference_version_id IS NOT NULL)
                           ELSE min(fen) FILTER (WHERE reference_version_id IS NOT NULL)
                       END AS cap
                FROM bill_basis WHERE bill_id = bill.id
            ) AS basis
            WHERE bill.id = which
              AND (basis.own IS DISTINCT FROM bill.own_fen OR trunc(basis.cap) IS DISTINCT FROM bill.cap_fen)
        ) THEN
            RAISE EXCEPTION 'bill % is not what its basis adds up to', which
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'a_bill_adds_up';
        END IF;
        RETURN NULL;
    END $$;
    CREATE CONSTRAINT TRIGGER a_bill_adds_up AFTER INSERT ON bill DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION a_bill_adds_up();
    CREATE CONSTRAINT TRIGGER a_bill_adds_up AFTER INSERT ON bill_basis DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION a_bill_adds_up();

    CREATE FUNCTION a_bill_rests_on_its_own_lot() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NOT EXISTS (
            SELECT FROM bill JOIN stay ON stay.id = bill.stay_id
            WHERE bill.id = NEW.bill_id AND CASE WHEN NEW.lot_tariff_id IS NOT NULL THEN EXISTS (
                SELECT FROM lot_tariff WHERE id = NEW.lot_tariff_id AND lot_id = stay.lot_id AND lower(valid) <= bill.up_to
            ) ELSE EXISTS (
                SELECT FROM reference_version JOIN reference_set_member USING (reference_id)
                JOIN reference_set ON reference_set.id = set_id
                WHERE reference_version.id = NEW.reference_version_id AND reference_set.lot_id = stay.lot_id
            ) END
        ) THEN
            RAISE EXCEPTION 'bill % rests on prices of another lot', NEW.bill_id
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'a_bill_rests_on_its_own_lot';
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER a_bill_rests_on_its_own_lot BEFORE INSERT ON bill_basis
        FOR EACH ROW EXECUTE FUNCTION a_bill_rests_on_its_own_lot();
"""


def bill_says_the_same(*more: str) -> str:
    """The function of 0006 with the columns that bills have besides."""
    told = ("id", "key", "stay_id", "up_to", "own_fen", "cap_fen", "fee_fen", "amount_fen", "explanation", "payee_id")
    columns = (*told, "charge_key", "made_at", *more)
    before, after = (", ".join(f"{row}.{column}" for column in columns) for row in ("OLD", "NEW"))
    return f"""
        CREATE OR REPLACE FUNCTION a_bill_says_the_same_for_ever() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF ({before}) IS DISTINCT FROM ({after})
               OR (OLD.paid_at IS NOT NULL AND NEW.paid_at IS DISTINCT FROM OLD.paid_at)
               OR (OLD.withdrawn_at IS NOT NULL AND NEW.withdrawn_at IS DISTINCT FROM OLD.withdrawn_at) THEN
                RAISE EXCEPTION 'a bill is never rewritten'
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'a_bill_says_the_same_for_ever';
            END IF;
            RETURN NEW;
        END $$
    """


def _tell_searches(table: str, lots: str) -> None:
    op.execute(
        f"""
        CREATE FUNCTION {table}_tells_searches() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO lot_change (lot_id, is_pressing) SELECT lot_id, true FROM ({lots}) AS told (lot_id);
            RETURN NULL;
        END $$
        """
    )
    for event, transition in EVENTS.items():
        op.execute(
            f"CREATE TRIGGER {table}_tells_searches_{event.lower()} AFTER {event} ON {table} "
            f"REFERENCING {transition} TABLE AS changed "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_tells_searches()"
        )


def _tell_searches_no_more(table: str) -> None:
    for event in EVENTS:
        op.execute(f"DROP TRIGGER {table}_tells_searches_{event.lower()} ON {table}")
    op.execute(f"DROP FUNCTION {table}_tells_searches()")


def downgrade() -> None:
    op.alter_column("tariff_version", "stored_at", new_column_name="published_at")
    op.drop_index("ix_lot_tariff_lot_id_begin", "lot_tariff")
    op.drop_column("lot_tariff", "running")
    for table in SEARCHED:
        _tell_searches_no_more(table)
    _forget_what_bills_rest_on()
    _as_it_was_known()
    for table in TABLES[1:]:
        op.drop_table(table)
    op.execute(f"DROP FUNCTION {', '.join(FUNCTIONS)}")
    forget_graph("reference_set")
    forget_graph("reference_version")


def _forget_what_bills_rest_on() -> None:
    op.execute("DROP TRIGGER a_bill_adds_up ON bill")
    op.drop_table("bill_basis")
    op.execute(bill_says_the_same("free_span_id", "waived_fen"))
    op.drop_column("bill", "cap_rule")
    op.drop_constraint("a_lots_tariff_is_one_version", "lot_tariff", type_="unique")


def _as_it_was_known() -> None:
    """Reference lots as their approved version tells them; what has none, and every zone, is lost."""
    op.create_table(
        "lot_reference",
        sa.Column("lot_id", sa.BigInteger(), nullable=False),
        sa.Column("reference_lot_id", sa.BigInteger(), nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name="fk_lot_reference_lot_id"),
        sa.ForeignKeyConstraint(["reference_lot_id"], ["reference_lot.id"], name="fk_lot_reference_reference_lot_id"),
        sa.PrimaryKeyConstraint("lot_id", "reference_lot_id", name="pk_lot_reference"),
    )
    for name, kind in (("approval", "text"), ("latitude", "double precision"), ("longitude", "double precision"),
                       ("tariff_id", "bigint"), ("valid", "tstzrange")):  # fmt: skip
        op.execute(f"ALTER TABLE reference_lot ADD COLUMN {name} {kind}")
    op.execute(
        """
        UPDATE reference_lot SET (approval, latitude, longitude, tariff_id, valid) = (
            SELECT approval, latitude, longitude, tariff_id, valid FROM reference_version
            WHERE reference_id = reference_lot.id AND state = 'approved' ORDER BY valid DESC LIMIT 1)
        """
    )
    op.execute(
        """
        INSERT INTO lot_reference (lot_id, reference_lot_id, approved_at, approved_by)
        SELECT lot_id, reference_id, decided_at, coalesce('staff:' || decided_by, '')
        FROM reference_set JOIN reference_set_member ON set_id = reference_set.id
        JOIN reference_lot ON reference_lot.id = reference_id
        WHERE state = 'approved' AND latitude IS NOT NULL
        """
    )
    op.execute("ALTER TABLE reference_set_member DISABLE TRIGGER USER")
    op.execute("TRUNCATE reference_set_member")
    op.execute("DELETE FROM reference_version")
    op.execute("DELETE FROM reference_lot WHERE latitude IS NULL")
    for name in ("approval", "latitude", "longitude", "tariff_id", "valid"):
        op.alter_column("reference_lot", name, nullable=False)
    op.create_foreign_key("fk_reference_lot_tariff_id", "reference_lot", "tariff_version", ["tariff_id"], ["id"])
    op.create_check_constraint(
        "a_reference_lot_lies_in_hangzhou",
        "reference_lot",
        "latitude BETWEEN 29 AND 31 AND longitude BETWEEN 118 AND 121",
    )
    op.drop_column("reference_lot", "kind")
    only_ends("reference_lot")
    grant("SELECT, INSERT", "lot_reference")
    for table, lots in FORMERLY_SEARCHED.items():
        _tell_searches(table, lots)
