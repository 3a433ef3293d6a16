"""Whether an enterprise's invoices are plain or of lease (特定业务 06 不动产经营租赁服务) is part of its terms."""

import sqlalchemy as sa
from alembic import op

from migrations.words import grant, written_down

revision = "0081"
down_revision = "0080"

TOLD = ("payee_id", "valid", "item_code", "vat_basis_points", "recorded_by", "confirmed_by", "vat_method")
FORM = ("invoice_form", "area_unit", "cross_city")
SAID = "terms_id, address, certificate_number, begins_on, ends_on"


def upgrade() -> None:
    """Terms that are there hold as plain ones, for as such their invoices were issued; whoever records new ones says."""
    op.add_column("receipt_terms", sa.Column("invoice_form", sa.Text, nullable=True))
    op.add_column("receipt_terms", sa.Column("area_unit", sa.Text, nullable=True))
    op.add_column("receipt_terms", sa.Column("cross_city", sa.Boolean, nullable=True))
    op.execute("ALTER TABLE receipt_terms DISABLE TRIGGER receipt_terms_says_the_same")
    op.execute("UPDATE receipt_terms SET invoice_form = 'plain' WHERE regime = 'SOE'")
    op.execute("ALTER TABLE receipt_terms ENABLE TRIGGER receipt_terms_says_the_same")
    for name, rule in (
        ("an_enterprise_has_an_invoice_form", "(regime = 'SOE') = (invoice_form IS NOT NULL)"),
        ("an_invoice_has_one_of_two_forms", "invoice_form IN ('plain', 'lease')"),
        (
            "terms_of_lease_say_area_unit_and_cross_city",
            "num_nonnulls(area_unit, cross_city) = CASE invoice_form WHEN 'lease' THEN 2 ELSE 0 END",
        ),
        ("an_area_unit_says_something", "btrim(area_unit) <> ''"),
    ):
        op.create_check_constraint(name, "receipt_terms", rule)
    _told(*TOLD, *FORM)
    _leases()
    _of_their_form()


def _told(*columns: str) -> None:
    for trigger in ("is_written_down", "move_is_written_down"):
        op.execute(f"DROP TRIGGER receipt_terms_{trigger} ON receipt_terms")
    written_down("receipt_terms", *columns, moving="confirmed_by")


def _leases() -> None:
    op.create_table(
        "receipt_lease",
        sa.Column("receipt_id", sa.BigInteger, sa.ForeignKey("receipt.id"), nullable=False),
        sa.Column("address", sa.Text, nullable=False), sa.Column("certificate_number", sa.Text, nullable=False),
        sa.Column("begins_on", sa.Date, nullable=False), sa.Column("ends_on", sa.Date, nullable=False),
        sa.PrimaryKeyConstraint("receipt_id", name="pk_receipt_lease"),
        sa.CheckConstraint(
            "btrim(address) <> '' AND btrim(certificate_number) <> ''", name="a_lease_names_address_and_certificate"
        ),
        sa.CheckConstraint("begins_on <= ends_on", name="a_lease_ends_after_it_begins"),
    )  # fmt: skip
    grant("SELECT, INSERT", "receipt_lease")
    op.execute(
        """
        CREATE TRIGGER receipt_lease_says_the_same BEFORE UPDATE OR DELETE ON receipt_lease
            FOR EACH ROW EXECUTE FUNCTION only_these_change();
        CREATE TRIGGER receipt_lease_is_never_emptied BEFORE TRUNCATE ON receipt_lease
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )


def _of_their_form() -> None:
    """Looked at when the transaction ends. A line more would break what a receipt sums to: no need to look at lines."""
    op.execute(
        f"""
        CREATE FUNCTION an_invoice_is_of_its_terms_form() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            looked_at bigint := (to_jsonb(NEW) ->> CASE TG_TABLE_NAME WHEN 'receipt' THEN 'id' ELSE 'receipt_id' END);
            is_of_lease boolean;
            of_blue bigint;
            broken text;
        BEGIN
            SELECT terms.invoice_form IS NOT DISTINCT FROM 'lease', said.reverses_id INTO is_of_lease, of_blue
            FROM receipt said JOIN receipt_terms terms ON terms.id = said.terms_id WHERE said.id = looked_at;
            IF is_of_lease <> EXISTS (SELECT FROM receipt_lease WHERE receipt_id = looked_at) THEN
                broken := 'an_invoice_is_of_its_terms_form';
            ELSIF is_of_lease AND (SELECT count(*) FROM receipt_line WHERE receipt_id = looked_at) <> 1 THEN
                broken := 'an_invoice_of_lease_has_one_line';
            ELSIF (SELECT ROW({SAID}) FROM receipt LEFT JOIN receipt_lease ON receipt_id = id WHERE id = looked_at)
                  IS DISTINCT FROM
                  (SELECT ROW({SAID}) FROM receipt LEFT JOIN receipt_lease ON receipt_id = id
                   WHERE id = coalesce(of_blue, looked_at)) THEN
                broken := 'a_red_invoice_says_what_its_blue_one_said';
            END IF;
            IF broken IS NOT NULL THEN
                RAISE EXCEPTION 'receipt % is not of the form that its terms name', looked_at
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = broken;
            END IF;
            RETURN NULL;
        END $$;
        CREATE CONSTRAINT TRIGGER an_invoice_is_of_its_terms_form AFTER INSERT ON receipt
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION an_invoice_is_of_its_terms_form();
        CREATE CONSTRAINT TRIGGER a_lease_is_of_its_invoices_form AFTER INSERT ON receipt_lease
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION an_invoice_is_of_its_terms_form()
        """
    )


def downgrade() -> None:
    """Only where nobody has terms of lease: plain ones would say something else of the same payee."""
    op.execute(
        "ALTER TABLE receipt_terms ADD CONSTRAINT no_terms_are_of_lease CHECK (invoice_form IS DISTINCT FROM 'lease')"
    )
    op.execute("DROP TRIGGER an_invoice_is_of_its_terms_form ON receipt")
    op.drop_table("receipt_lease")
    op.execute("DROP FUNCTION an_invoice_is_of_its_terms_form")
    _told(*TOLD)
    for column in FORM:
        op.drop_column("receipt_terms", column)
