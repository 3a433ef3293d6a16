"""Regular places: rounds, applications, and the nights of those who won."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.words import append_only, follows_graph, forget_graph, grant, graph

revision = "0037"
down_revision = "0036"

ROUND = [("", "open", "open"), ("open", "draw", "drawn"), ("open", "cancel", "cancelled")]
APPLICATION = [
    ("", "apply", "applied"),
    ("applied", "withdraw", "withdrawn"),
    ("applied", "drop", "dropped"),
    ("applied", "win", "won"),
    ("applied", "rank", "waiting"),
    ("waiting", "move_up", "won"),
    ("waiting", "withdraw", "withdrawn"),
    ("won", "give_back", "given_back"),
    ("won", "lose", "lost"),
]
STILL_ENTERED = sa.text("state <> 'withdrawn'")


def upgrade() -> None:
    op.add_column("reservation", sa.Column("is_regular", sa.Boolean, server_default=sa.false(), nullable=False))
    _rounds()
    _applications()
    _nights()
    _guard_applications()
    _guard_draws()
    _guard_nights()
    graph("regular_round", ROUND)
    follows_graph("regular_round", "regular_round")
    graph("regular_application", APPLICATION)
    follows_graph("regular_application", "regular_application")
    append_only("regular_night")
    grant("SELECT, INSERT, UPDATE (state, secret, drawn_at, dealt_until, cancelled_because)", "regular_round")
    grant("SELECT, INSERT, UPDATE (state, ticket, rank, place, won_at)", "regular_application")


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


def _rounds() -> None:
    op.create_table(
        "regular_round",
        _id(), sa.Column("key", sa.Uuid, nullable=False), _number("lot_id"),
        sa.Column("nights", postgresql.DATERANGE, nullable=False), _number("places"), _moment("opens_at"),
        _moment("closes_at"), _moment("draw_at"), _text("commitment"),
        sa.Column("secret_enc", sa.LargeBinary, nullable=False), _text("state"), _number("made_by"),
        _moment("made_at"), _text("secret", nullable=True), _moment("drawn_at", nullable=True),
        sa.Column("dealt_until", sa.Date, nullable=True), _text("cancelled_because", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_regular_round"),
        sa.UniqueConstraint("key", name="uq_regular_round_key"),
        sa.UniqueConstraint("id", "places", name="a_round_has_so_many_places"),
        _points("regular_round", "lot_id", "lot"),
        _points("regular_round", "made_by", "staff_account"),
        postgresql.ExcludeConstraint(
            (sa.column("lot_id"), "="), (sa.column("nights"), "&&"),
            using="gist", where=sa.text("state <> 'cancelled'"), name="a_lot_has_one_round_for_a_night",
        ),
        sa.CheckConstraint("state IN ('open', 'drawn', 'cancelled')", name="a_round_is_in_a_known_state"),
        sa.CheckConstraint(
            "NOT isempty(nights) AND NOT lower_inf(nights) AND NOT upper_inf(nights)", name="a_round_is_for_some_nights"
        ),
        sa.CheckConstraint("places > 0", name="a_round_has_places"),
        sa.CheckConstraint(
            "made_at <= opens_at AND opens_at < closes_at AND closes_at <= draw_at",
            name="a_round_is_open_before_its_draw",
        ),
        sa.CheckConstraint(
            "(draw_at AT TIME ZONE 'Asia/Shanghai')::date < lower(nights)", name="a_draw_comes_before_the_nights"
        ),
        sa.CheckConstraint(
            "secret IS NULL OR commitment = encode(sha256(convert_to(secret, 'UTF8')), 'hex')",
            name="what_is_revealed_is_what_was_committed",
        ),
        sa.CheckConstraint(
            "(state = 'drawn') = (secret IS NOT NULL AND drawn_at IS NOT NULL)", name="a_draw_reveals_its_secret"
        ),
        sa.CheckConstraint("drawn_at >= draw_at", name="nobody_draws_early"),
        sa.CheckConstraint(
            "(state = 'cancelled') = (cancelled_because IS NOT NULL)", name="a_cancelled_round_says_why"
        ),
    )  # fmt: skip


def _applications() -> None:
    name = "regular_application"
    op.create_table(
        name,
        _id(), sa.Column("key", sa.Uuid, nullable=False), _number("round_id"), _number("places"),
        _number("motorist_id"), _number("vehicle_id"), _number("plate_id"), _number("agreement_signature_id"),
        _moment("applied_at"), _text("state"), _text("ticket", nullable=True), _number("rank", nullable=True),
        _number("place", nullable=True), _moment("won_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_regular_application"),
        sa.UniqueConstraint("key", name="uq_regular_application_key"),
        sa.ForeignKeyConstraint(
            ["round_id", "places"], ["regular_round.id", "regular_round.places"], name="an_application_is_for_a_round"
        ),
        _points(name, "motorist_id", "motorist"),
        _points(name, "vehicle_id", "vehicle"),
        _points(name, "plate_id", "plate"),
        _points(name, "agreement_signature_id", "agreement_signature"),
        sa.UniqueConstraint("round_id", "rank", name="a_rank_is_drawn_once"),
        sa.UniqueConstraint("round_id", "place", name="a_place_has_one_holder"),
        sa.CheckConstraint(
            "state IN ('applied', 'withdrawn', 'dropped', 'won', 'waiting', 'given_back', 'lost')",
            name="an_application_is_in_a_known_state",
        ),
        sa.CheckConstraint("(state = 'won') = (place IS NOT NULL)", name="who_won_has_a_place"),
        sa.CheckConstraint("state <> 'won' OR won_at IS NOT NULL", name="who_won_knows_since_when"),
        sa.CheckConstraint("place BETWEEN 1 AND places", name="a_round_gives_no_more_places_than_it_has"),
        sa.CheckConstraint("(rank IS NULL) = (ticket IS NULL)", name="a_rank_comes_by_a_ticket"),
        sa.CheckConstraint(
            "state IN ('withdrawn') OR (state IN ('applied', 'dropped')) = (rank IS NULL)",
            name="whoever_took_part_has_a_rank",
        ),
    )  # fmt: skip
    for constraint, column in (
        ("a_motorist_applies_once_to_a_round", "motorist_id"),
        ("a_plate_is_entered_once_in_a_round", "plate_id"),
    ):
        op.create_index(constraint, name, ["round_id", column], unique=True, postgresql_where=STILL_ENTERED)
    op.create_index("ix_regular_application_motorist_id_id", name, ["motorist_id", "id"])


def _nights() -> None:
    name = "regular_night"
    op.create_table(
        name,
        _id(), _number("application_id"), sa.Column("night", sa.Date, nullable=False),
        _number("reservation_id", nullable=True), _text("refusal", nullable=True), _moment("dealt_at"),
        sa.PrimaryKeyConstraint("id", name="pk_regular_night"),
        _points(name, "application_id", "regular_application"),
        _points(name, "reservation_id", "reservation"),
        sa.UniqueConstraint("application_id", "night", name="a_night_is_dealt_once"),
        sa.UniqueConstraint("reservation_id", name="uq_regular_night_reservation_id"),
        sa.CheckConstraint("(reservation_id IS NULL) <> (refusal IS NULL)", name="a_night_is_had_or_says_why_not"),
    )  # fmt: skip


def _guard_applications() -> None:
    """The round's row is locked, so that the draw waits for who came in time, and who comes later sees the draw."""
    op.execute(
        """
        CREATE FUNCTION refuse_a_late_application() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM FROM regular_round
            WHERE id = NEW.round_id AND state = 'open' AND opens_at <= NEW.applied_at AND NEW.applied_at < closes_at
            FOR SHARE;
            IF NOT FOUND THEN
                RAISE EXCEPTION 'the round takes no application at %', NEW.applied_at USING
                    ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'an_application_comes_in_time';
            END IF;
            RETURN NEW;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER an_application_comes_in_time BEFORE INSERT ON regular_application "
        "FOR EACH ROW EXECUTE FUNCTION refuse_a_late_application()"
    )


def _guard_draws() -> None:
    """A ticket is what the revealed secret makes of the key, once and for ever; ranks follow the tickets."""
    op.execute(
        """
        CREATE FUNCTION refuse_a_false_ticket() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF (NEW.ticket, NEW.rank) IS NOT DISTINCT FROM (OLD.ticket, OLD.rank) THEN
                RETURN NEW;
            END IF;
            IF OLD.rank IS NOT NULL THEN
                RAISE EXCEPTION 'a draw is final' USING
                    ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'a_draw_is_final';
            END IF;
            IF NOT EXISTS (
                SELECT FROM regular_round WHERE id = NEW.round_id
                AND encode(sha256(convert_to(secret || ':' || NEW.key, 'UTF8')), 'hex') = NEW.ticket
            ) THEN
                RAISE EXCEPTION 'the secret does not make this ticket' USING
                    ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'a_ticket_is_made_by_the_secret';
            END IF;
            RETURN NEW;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER a_ticket_is_made_by_the_secret BEFORE UPDATE OF ticket, rank ON regular_application "
        "FOR EACH ROW EXECUTE FUNCTION refuse_a_false_ticket()"
    )
    op.execute(
        """
        CREATE FUNCTION refuse_a_false_order() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF EXISTS (SELECT FROM regular_application WHERE round_id = NEW.id AND state = 'applied')
               OR EXISTS (SELECT FROM (SELECT rank, row_number() OVER (ORDER BY ticket COLLATE "C") AS due
                                       FROM regular_application
                                       WHERE round_id = NEW.id AND rank IS NOT NULL) AS told
                          WHERE rank <> due) THEN
                RAISE EXCEPTION 'ranks do not follow the tickets' USING
                    ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'ranks_follow_the_tickets';
            END IF;
            RETURN NULL;
        END $$
        """
    )
    op.execute(
        "CREATE CONSTRAINT TRIGGER ranks_follow_the_tickets AFTER UPDATE OF state ON regular_round "
        "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.state = 'drawn') "
        "EXECUTE FUNCTION refuse_a_false_order()"
    )


def _guard_nights() -> None:
    """Only who has a place has nights, and who has none any more keeps none."""
    op.execute(
        """
        CREATE FUNCTION refuse_a_losers_night() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM FROM regular_application WHERE id = NEW.application_id AND state = 'won' FOR SHARE;
            IF NOT FOUND OR EXISTS (
                SELECT FROM reservation JOIN regular_application AS application ON application.id = NEW.application_id
                WHERE reservation.id = NEW.reservation_id
                AND (reservation.motorist_id <> application.motorist_id OR NOT reservation.is_regular)
            ) THEN
                RAISE EXCEPTION 'this is no winner''s night' USING
                    ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'a_night_is_a_winners';
            END IF;
            RETURN NEW;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER a_night_is_a_winners BEFORE INSERT ON regular_night "
        "FOR EACH ROW EXECUTE FUNCTION refuse_a_losers_night()"
    )
    op.execute(
        """
        CREATE FUNCTION refuse_to_keep_nights() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF EXISTS (SELECT FROM regular_night
                       JOIN reservation ON reservation.id = regular_night.reservation_id
                       JOIN bay_claim ON bay_claim.id = reservation.claim_id
                       WHERE regular_night.application_id = NEW.id AND bay_claim.state IN ('held', 'confirmed')) THEN
                RAISE EXCEPTION 'nights are kept without a place' USING
                    ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'who_has_no_place_keeps_no_night';
            END IF;
            RETURN NULL;
        END $$
        """
    )
    op.execute(
        "CREATE CONSTRAINT TRIGGER who_has_no_place_keeps_no_night AFTER UPDATE OF state ON regular_application "
        "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD.state = 'won' AND NEW.state <> 'won') "
        "EXECUTE FUNCTION refuse_to_keep_nights()"
    )


def downgrade() -> None:
    for table in ("regular_night", "regular_application", "regular_round"):
        op.drop_table(table)
    for machine in ("regular_application", "regular_round"):
        forget_graph(machine)
    for function in (
        "refuse_a_late_application", "refuse_a_false_ticket", "refuse_a_false_order", "refuse_a_losers_night",
        "refuse_to_keep_nights",
    ):  # fmt: skip
        op.execute(f"DROP FUNCTION {function}()")
    op.drop_column("reservation", "is_regular")
