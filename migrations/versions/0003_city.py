"""The city: units, policies, tasks, motorists, calendars, lots, prices, and the guard of the bays."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.words import append_only, follows_graph, forget_graph, grant, graph, only_ends

revision = "0003"
down_revision = "0002"

CLAIM = (
    ("", "held", "held"),
    ("", "confirmed", "confirmed"),
    ("", "entered", "in_use"),
    ("held", "confirm", "confirmed"),
    ("held", "expire", "expired"),
    ("held", "cancel", "cancelled"),
    ("confirmed", "enter", "in_use"),
    ("confirmed", "cancel", "cancelled"),
    ("confirmed", "miss", "no_show"),
    ("confirmed", "displace", "displaced"),
    ("in_use", "leave", "completed"),
)
TABLES = [
    "bay_claim",
    "lot_reference",
    "reference_lot",
    "lot_tariff",
    "tariff_version",
    "open_window",
    "bay",
    "lot",
    "calendar_day",
    "calendar_version",
    "consent",
    "agreement_signature",
    "agreement_version",
    "vehicle",
    "plate",
    "refresh_token",
    "sign_in",
    "motorist",
    "task",
    "policy_number",
    "operator",
    "unit",
    "district",
]
FUNCTIONS = (
    "a_promise_lies_in_an_open_window",
    "a_window_keeps_its_promises",
    "a_bay_with_live_claims_stays_shared",
    "a_removed_vehicle_stays_removed",
    "a_session_version_grows",
)


def upgrade() -> None:
    _units()
    _policies()
    _tasks()
    _motorists()
    _calendars()
    _lots()
    _pricing()
    _claims()
    _promises()
    _once()
    _rights()


def _units() -> None:
    op.create_table(
        "district",
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.CheckConstraint("code ~ '^3301[0-9]{2}$'", name="a_district_lies_in_hangzhou"),
        sa.PrimaryKeyConstraint("code", name="pk_district"),
    )
    op.create_table(
        "unit",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("key", sa.Uuid, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("level", sa.Text, nullable=False),
        sa.Column("district_code", sa.Text, nullable=False),
        sa.Column("office_begins", sa.Time, nullable=False),
        sa.Column("office_ends", sa.Time, nullable=False),
        sa.CheckConstraint("kind IN ('organ', 'institution', 'enterprise')", name="a_unit_has_one_of_three_kinds"),
        sa.CheckConstraint("level IN ('city', 'district')", name="a_unit_belongs_to_city_or_district"),
        sa.CheckConstraint("office_begins < office_ends", name="an_office_day_begins_before_it_ends"),
        sa.ForeignKeyConstraint(["district_code"], ["district.code"], name="fk_unit_district_code"),
        sa.PrimaryKeyConstraint("id", name="pk_unit"),
        sa.UniqueConstraint("key", name="uq_unit_key"),
        sa.UniqueConstraint("name", name="uq_unit_name"),
        sa.UniqueConstraint("id", "kind", "level", "district_code", name="a_unit_has_one_kind_and_place"),
    )
    op.create_table(
        "operator",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("key", sa.Uuid, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_operator"),
        sa.UniqueConstraint("key", name="uq_operator_key"),
        sa.UniqueConstraint("name", name="uq_operator_name"),
    )


def _policies() -> None:
    op.create_table(
        "policy_number",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("scope_id", sa.BigInteger, nullable=False),
        sa.Column("value", sa.BigInteger, nullable=False),
        sa.Column("valid", postgresql.TSTZRANGE, nullable=False),
        postgresql.ExcludeConstraint(
            (sa.column("name"), "="),
            (sa.column("scope"), "="),
            (sa.column("scope_id"), "="),
            (sa.column("valid"), "&&"),
            using="gist",
            name="a_policy_has_one_value_at_a_time",
        ),
        sa.CheckConstraint("(scope = 'city') = (scope_id = 0)", name="a_city_policy_names_no_place"),
        sa.CheckConstraint("scope IN ('city', 'unit', 'lot')", name="a_policy_holds_for_city_unit_or_lot"),
        sa.CheckConstraint("NOT isempty(valid)", name="a_policy_holds_for_some_time"),
        sa.PrimaryKeyConstraint("id", name="pk_policy_number"),
    )


def _tasks() -> None:
    op.create_table(
        "task",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("key", sa.Uuid, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("subject_id", sa.BigInteger, nullable=False),
        sa.Column("detail", postgresql.JSONB, server_default="{}", nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text, nullable=True),
        sa.CheckConstraint("(closed_at IS NULL) = (outcome IS NULL)", name="a_closed_task_has_an_outcome"),
        sa.PrimaryKeyConstraint("id", name="pk_task"),
        sa.UniqueConstraint("key", name="uq_task_key"),
    )
    op.create_index(
        "a_subject_has_one_open_task_of_a_kind",
        "task",
        ["kind", "subject", "subject_id"],
        unique=True,
        postgresql_where=sa.text("closed_at IS NULL"),
    )


def _motorists() -> None:
    op.create_table(
        "motorist",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("key", sa.Uuid, nullable=False),
        sa.Column("app_id", sa.Text, nullable=False),
        sa.Column("openid_bidx", sa.LargeBinary, nullable=False),
        sa.Column("openid_enc", sa.LargeBinary, nullable=False),
        sa.Column("phone_bidx", sa.LargeBinary, nullable=True),
        sa.Column("phone_enc", sa.LargeBinary, nullable=True),
        sa.Column("session_version", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(phone_bidx IS NULL) = (phone_enc IS NULL)", name="a_phone_is_kept_with_its_index"),
        sa.CheckConstraint("octet_length(openid_bidx) = 16", name="an_openid_index_has_16_bytes"),
        sa.CheckConstraint("phone_bidx IS NULL OR octet_length(phone_bidx) = 16", name="a_phone_index_has_16_bytes"),
        sa.CheckConstraint("session_version > 0", name="a_session_version_is_positive"),
        sa.PrimaryKeyConstraint("id", name="pk_motorist"),
        sa.UniqueConstraint("app_id", "openid_bidx", name="an_openid_is_one_motorist_per_app"),
        sa.UniqueConstraint("key", name="uq_motorist_key"),
    )
    op.create_index("ix_motorist_phone_bidx", "motorist", ["phone_bidx"], unique=False)
    op.create_table(
        "sign_in",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("motorist_id", sa.BigInteger, nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_because", sa.Text, nullable=True),
        sa.CheckConstraint(
            "revoked_because IN ('logged_out', 'token_reused')", name="a_sign_in_is_revoked_for_a_known_reason"
        ),
        sa.CheckConstraint("(revoked_at IS NULL) = (revoked_because IS NULL)", name="a_revoked_sign_in_says_why"),
        sa.CheckConstraint("ends_at > began_at", name="a_sign_in_ends_after_it_began"),
        sa.ForeignKeyConstraint(["motorist_id"], ["motorist.id"], name="fk_sign_in_motorist_id"),
        sa.PrimaryKeyConstraint("id", name="pk_sign_in"),
    )
    op.create_index("ix_sign_in_motorist_id", "sign_in", ["motorist_id"], unique=False)
    op.create_table(
        "refresh_token",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("sign_in_id", sa.BigInteger, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("spent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("successor_enc", sa.LargeBinary, nullable=True),
        sa.CheckConstraint("(spent_at IS NULL) = (successor_enc IS NULL)", name="a_spent_token_has_a_successor"),
        sa.CheckConstraint("expires_at > issued_at", name="a_refresh_token_expires_after_issue"),
        sa.CheckConstraint("octet_length(digest) = 32", name="a_refresh_token_rests_as_sha256"),
        sa.ForeignKeyConstraint(["sign_in_id"], ["sign_in.id"], name="fk_refresh_token_sign_in_id"),
        sa.PrimaryKeyConstraint("id", name="pk_refresh_token"),
        sa.UniqueConstraint("digest", name="a_refresh_token_is_issued_once"),
    )
    op.create_index(
        "a_sign_in_has_one_unspent_token",
        "refresh_token",
        ["sign_in_id"],
        unique=True,
        postgresql_where="spent_at IS NULL",
    )
    op.create_table(
        "plate",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("key", sa.Uuid, nullable=False),
        sa.Column("bidx", sa.LargeBinary, nullable=False),
        sa.Column("characters_bidx", sa.LargeBinary, nullable=False),
        sa.Column("value_enc", sa.LargeBinary, nullable=False),
        sa.Column("colour", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.CheckConstraint("octet_length(bidx) = 16", name="a_plate_index_has_16_bytes"),
        sa.CheckConstraint("octet_length(characters_bidx) = 16", name="a_characters_index_has_16_bytes"),
        sa.PrimaryKeyConstraint("id", name="pk_plate"),
        sa.UniqueConstraint("bidx", name="a_plate_is_kept_once"),
        sa.UniqueConstraint("key", name="uq_plate_key"),
    )
    op.create_index("ix_plate_characters_bidx", "plate", ["characters_bidx"])
    op.create_table(
        "vehicle",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("key", sa.Uuid, nullable=False),
        sa.Column("motorist_id", sa.BigInteger, nullable=False),
        sa.Column("plate_id", sa.BigInteger, nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("removed_at >= added_at", name="a_vehicle_is_removed_after_it_was_added"),
        sa.ForeignKeyConstraint(["motorist_id"], ["motorist.id"], name="fk_vehicle_motorist_id"),
        sa.ForeignKeyConstraint(["plate_id"], ["plate.id"], name="fk_vehicle_plate_id"),
        sa.PrimaryKeyConstraint("id", name="pk_vehicle"),
        sa.UniqueConstraint("key", name="uq_vehicle_key"),
    )
    op.create_index(
        "a_motorist_has_a_plate_once",
        "vehicle",
        ["motorist_id", "plate_id"],
        unique=True,
        postgresql_where="removed_at IS NULL",
    )
    op.create_index("ix_vehicle_plate_id", "vehicle", ["plate_id"], unique=False, postgresql_where="removed_at IS NULL")
    op.create_table(
        "agreement_version",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("text_sha256", sa.LargeBinary, nullable=False),
        sa.Column("in_force_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "text_sha256 = sha256(convert_to(text, 'UTF8'))", name="an_agreement_hash_is_that_of_its_text"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_agreement_version"),
        sa.UniqueConstraint("version", "text_sha256", name="a_version_names_one_text"),
        sa.UniqueConstraint("version", name="an_agreement_version_is_published_once"),
    )
    op.create_index("ix_agreement_version_in_force_from", "agreement_version", ["in_force_from"], unique=False)
    op.create_table(
        "agreement_signature",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("key", sa.Uuid, nullable=False),
        sa.Column("motorist_id", sa.BigInteger, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("text_sha256", sa.LargeBinary, nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("device_enc", sa.LargeBinary, nullable=False),
        sa.ForeignKeyConstraint(["motorist_id"], ["motorist.id"], name="fk_agreement_signature_motorist_id"),
        sa.ForeignKeyConstraint(
            ["version", "text_sha256"],
            ["agreement_version.version", "agreement_version.text_sha256"],
            name="a_signature_names_the_text_it_saw",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_agreement_signature"),
        sa.UniqueConstraint("key", name="uq_agreement_signature_key"),
        sa.UniqueConstraint("motorist_id", "version", name="a_version_is_signed_once"),
    )
    op.create_table(
        "consent",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("motorist_id", sa.BigInteger, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("wording", sa.Text, nullable=False),
        sa.Column("act", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("act IN ('given', 'withdrawn')", name="a_consent_is_given_or_withdrawn"),
        sa.ForeignKeyConstraint(["motorist_id"], ["motorist.id"], name="fk_consent_motorist_id"),
        sa.PrimaryKeyConstraint("id", name="pk_consent"),
    )
    op.create_index("ix_consent_motorist_id_purpose", "consent", ["motorist_id", "purpose"], unique=False)


def _calendars() -> None:
    op.create_table(
        "calendar_version",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("year", sa.BigInteger, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("source_doc", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("in_force", sa.Boolean, nullable=False),
        sa.CheckConstraint("source_doc <> ''", name="a_calendar_names_its_source"),
        sa.CheckConstraint("status IN ('official', 'provisional')", name="a_calendar_is_official_or_provisional"),
        sa.CheckConstraint("year BETWEEN 2000 AND 2999", name="a_calendar_is_of_a_year_we_may_live_in"),
        sa.PrimaryKeyConstraint("id", name="pk_calendar_version"),
    )
    op.create_index(
        "one_calendar_is_in_force_per_year",
        "calendar_version",
        ["year"],
        unique=True,
        postgresql_where=sa.text("in_force"),
    )
    op.create_table(
        "calendar_day",
        sa.Column("version_id", sa.BigInteger, nullable=False),
        sa.Column("date", sa.Date, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("holiday", sa.Text, nullable=True),
        sa.Column("is_makeup", sa.Boolean, nullable=False),
        sa.CheckConstraint("NOT is_makeup OR kind = 'workday'", name="a_makeup_day_is_a_workday"),
        sa.CheckConstraint("holiday <> ''", name="a_holiday_has_a_name"),
        sa.CheckConstraint("kind IN ('workday', 'dayoff')", name="a_day_is_a_workday_or_a_dayoff"),
        sa.ForeignKeyConstraint(["version_id"], ["calendar_version.id"], name="fk_calendar_day_version_id"),
        sa.PrimaryKeyConstraint("version_id", "date", name="a_version_tells_a_date_once"),
    )


def _lots() -> None:
    op.create_table(
        "lot",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("key", sa.Uuid, nullable=False),
        sa.Column("unit_id", sa.BigInteger, nullable=False),
        sa.Column("operator_id", sa.BigInteger, nullable=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("latitude", sa.Double, nullable=False),
        sa.Column("longitude", sa.Double, nullable=False),
        sa.Column("total_bays", sa.BigInteger, nullable=False),
        sa.Column("total_chargers", sa.BigInteger, nullable=False),
        sa.Column("shared_chargers", sa.BigInteger, nullable=False),
        sa.Column("height_limit_cm", sa.BigInteger, nullable=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.CheckConstraint("state IN ('open', 'suspended', 'withdrawn')", name="a_lot_is_open_suspended_or_withdrawn"),
        sa.CheckConstraint(
            "latitude BETWEEN 29 AND 31 AND longitude BETWEEN 118 AND 121", name="a_lot_lies_in_hangzhou"
        ),
        sa.CheckConstraint("shared_chargers BETWEEN 0 AND total_chargers", name="shared_chargers_are_some_of_all"),
        sa.CheckConstraint("total_bays > 0", name="a_lot_has_bays"),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.id"], name="fk_lot_operator_id"),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name="fk_lot_unit_id"),
        sa.PrimaryKeyConstraint("id", name="pk_lot"),
        sa.UniqueConstraint("key", name="uq_lot_key"),
        sa.UniqueConstraint("unit_id", "name", name="a_unit_names_each_lot_once"),
        sa.UniqueConstraint("id", "unit_id", name="a_lot_belongs_to_one_unit"),
    )
    op.create_index("ix_lot_latitude_longitude", "lot", ["latitude", "longitude"], unique=False)
    op.create_table(
        "bay",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("lot_id", sa.BigInteger, nullable=False),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("zone", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("shared", sa.Boolean, nullable=False),
        sa.CheckConstraint(
            "kind IN ('standard', 'charging', 'accessible', 'large')", name="a_bay_has_one_of_four_kinds"
        ),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name="fk_bay_lot_id"),
        sa.PrimaryKeyConstraint("id", name="pk_bay"),
        sa.UniqueConstraint("lot_id", "number", name="a_lot_numbers_each_bay_once"),
    )
    op.create_table(
        "open_window",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("lot_id", sa.BigInteger, nullable=False),
        sa.Column("during", postgresql.TSTZRANGE, nullable=False),
        postgresql.ExcludeConstraint(
            (sa.column("lot_id"), "="), (sa.column("during"), "&&"), using="gist", name="a_lot_has_one_window_at_a_time"
        ),
        sa.CheckConstraint(
            "(lower_inc(during) AND NOT upper_inc(during) AND isfinite(lower(during)) AND isfinite(upper(during))) IS TRUE",
            name="a_window_is_a_finite_half_open_span",
        ),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name="fk_open_window_lot_id"),
        sa.PrimaryKeyConstraint("id", name="pk_open_window"),
    )


def _pricing() -> None:
    op.create_table(
        "tariff_version",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("key", sa.Uuid, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("parameters", postgresql.JSONB, nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_tariff_version"),
        sa.UniqueConstraint("key", name="uq_tariff_version_key"),
        sa.UniqueConstraint("name", name="uq_tariff_version_name"),
    )
    op.create_table(
        "lot_tariff",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("lot_id", sa.BigInteger, nullable=False),
        sa.Column("tariff_id", sa.BigInteger, nullable=False),
        sa.Column("valid", postgresql.TSTZRANGE, nullable=False),
        postgresql.ExcludeConstraint(
            (sa.column("lot_id"), "="), (sa.column("valid"), "&&"), using="gist", name="a_lot_has_one_tariff_at_a_time"
        ),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name="fk_lot_tariff_lot_id"),
        sa.ForeignKeyConstraint(["tariff_id"], ["tariff_version.id"], name="fk_lot_tariff_tariff_id"),
        sa.PrimaryKeyConstraint("id", name="pk_lot_tariff"),
    )
    op.create_table(
        "reference_lot",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("key", sa.Uuid, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("approval", sa.Text, nullable=False),
        sa.Column("latitude", sa.Double, nullable=False),
        sa.Column("longitude", sa.Double, nullable=False),
        sa.Column("tariff_id", sa.BigInteger, nullable=False),
        sa.Column("valid", postgresql.TSTZRANGE, nullable=False),
        sa.CheckConstraint(
            "latitude BETWEEN 29 AND 31 AND longitude BETWEEN 118 AND 121", name="a_reference_lot_lies_in_hangzhou"
        ),
        sa.ForeignKeyConstraint(["tariff_id"], ["tariff_version.id"], name="fk_reference_lot_tariff_id"),
        sa.PrimaryKeyConstraint("id", name="pk_reference_lot"),
        sa.UniqueConstraint("key", name="uq_reference_lot_key"),
        sa.UniqueConstraint("name", name="uq_reference_lot_name"),
    )
    op.create_table(
        "lot_reference",
        sa.Column("lot_id", sa.BigInteger, nullable=False),
        sa.Column("reference_lot_id", sa.BigInteger, nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved_by", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name="fk_lot_reference_lot_id"),
        sa.ForeignKeyConstraint(["reference_lot_id"], ["reference_lot.id"], name="fk_lot_reference_reference_lot_id"),
        sa.PrimaryKeyConstraint("lot_id", "reference_lot_id", name="pk_lot_reference"),
    )


def _claims() -> None:
    op.create_table(
        "bay_claim",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("bay_id", sa.BigInteger, nullable=False),
        sa.Column("plate_id", sa.BigInteger, nullable=True),
        sa.Column("exclusive_plate", sa.Boolean, server_default=sa.text("true"), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("during", postgresql.TSTZRANGE, nullable=False),
        sa.Column("admit_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("admit_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("hold_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.Text, nullable=False),
        postgresql.ExcludeConstraint(
            (sa.column("bay_id"), "="),
            (sa.column("during"), "&&"),
            where=sa.text("state IN ('held', 'confirmed', 'in_use')"),
            using="gist",
            name="a_bay_has_one_live_claim_at_a_time",
        ),
        postgresql.ExcludeConstraint(
            (sa.column("plate_id"), "="),
            (sa.column("during"), "&&"),
            where=sa.text("exclusive_plate AND state IN ('held', 'confirmed', 'in_use')"),
            using="gist",
            name="a_plate_has_one_live_claim_at_a_time",
        ),
        sa.CheckConstraint("(state = 'held') <= (hold_expires_at IS NOT NULL)", name="a_hold_expires"),
        sa.CheckConstraint("kind IN ('reservation', 'walk_in')", name="a_claim_is_a_reservation_or_a_walk_in"),
        sa.CheckConstraint(
            "state IN ('held', 'confirmed', 'in_use', 'completed', 'expired', 'cancelled', 'no_show', 'displaced')",
            name="a_claim_is_in_a_known_state",
        ),
        sa.CheckConstraint(
            "(lower_inc(during) AND NOT upper_inc(during) AND isfinite(lower(during)) AND isfinite(upper(during))) IS TRUE",
            name="a_claim_is_a_finite_half_open_span",
        ),
        sa.CheckConstraint("admit_from < admit_until", name="a_claim_admits_for_some_time"),
        sa.ForeignKeyConstraint(["bay_id"], ["bay.id"], name="fk_bay_claim_bay_id"),
        sa.ForeignKeyConstraint(["plate_id"], ["plate.id"], name="fk_bay_claim_plate_id"),
        sa.PrimaryKeyConstraint("id", name="pk_bay_claim"),
    )
    op.create_index(
        "ix_bay_claim_plate_id",
        "bay_claim",
        ["plate_id"],
        unique=False,
        postgresql_where=sa.text("state IN ('held', 'confirmed', 'in_use')"),
    )
    op.create_index(
        "ix_bay_claim_admit",
        "bay_claim",
        ["admit_from", "admit_until"],
        unique=False,
        postgresql_where=sa.text("state IN ('held', 'confirmed', 'in_use')"),
    )


def _promises() -> None:
    """The bay's row is locked first on both sides, so a window cannot shrink beneath a promise just being made."""
    op.execute(
        """
        CREATE FUNCTION a_promise_lies_in_an_open_window() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NEW.state NOT IN ('held', 'confirmed') THEN RETURN NEW; END IF;
            PERFORM 1 FROM bay WHERE id = NEW.bay_id FOR UPDATE;
            IF NOT EXISTS (
                SELECT 1 FROM bay WHERE bay.id = NEW.bay_id AND bay.shared AND NEW.during <@ (
                    SELECT range_agg(open_window.during) FROM open_window
                    WHERE open_window.lot_id = bay.lot_id AND open_window.during && NEW.during)
            ) THEN
                RAISE EXCEPTION 'claim outside the open windows of its bay'
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'a_promise_lies_in_an_open_window';
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER a_promise_lies_in_an_open_window BEFORE INSERT OR UPDATE OF state, during, bay_id ON bay_claim
            FOR EACH ROW EXECUTE FUNCTION a_promise_lies_in_an_open_window();

        CREATE FUNCTION a_window_keeps_its_promises() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM 1 FROM bay WHERE lot_id = OLD.lot_id ORDER BY id FOR UPDATE;
            IF EXISTS (
                SELECT 1 FROM bay_claim JOIN bay ON bay.id = bay_claim.bay_id
                WHERE bay.lot_id = OLD.lot_id AND bay_claim.during && OLD.during
                  AND bay_claim.state IN ('held', 'confirmed')
                  AND (bay_claim.during <@ (
                    SELECT range_agg(open_window.during) FROM open_window
                    WHERE open_window.lot_id = OLD.lot_id AND open_window.during && bay_claim.during)) IS NOT TRUE
            ) THEN
                RAISE EXCEPTION 'a promised span would no longer be open'
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'a_window_keeps_its_promises';
            END IF;
            RETURN NULL;
        END $$;
        CREATE CONSTRAINT TRIGGER a_window_keeps_its_promises AFTER UPDATE OR DELETE ON open_window
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION a_window_keeps_its_promises();

        CREATE FUNCTION a_bay_with_live_claims_stays_shared() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF OLD.shared AND NOT NEW.shared AND EXISTS (
                SELECT 1 FROM bay_claim WHERE bay_id = OLD.id AND state IN ('held', 'confirmed', 'in_use')
            ) THEN
                RAISE EXCEPTION 'the bay has live claims'
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'a_bay_with_live_claims_stays_shared';
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER a_bay_with_live_claims_stays_shared BEFORE UPDATE OF shared ON bay
            FOR EACH ROW EXECUTE FUNCTION a_bay_with_live_claims_stays_shared();
        """
    )
    graph("claim", CLAIM)
    follows_graph("bay_claim", "claim")


def _once() -> None:
    """What happens to a row once, or counts upwards, does not unhappen."""
    op.execute(
        """
        CREATE FUNCTION a_removed_vehicle_stays_removed() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'vehicle % is removed', OLD.id
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'a_removed_vehicle_stays_removed';
        END $$;
        CREATE TRIGGER a_removed_vehicle_stays_removed BEFORE UPDATE OF removed_at ON vehicle FOR EACH ROW
            WHEN (OLD.removed_at IS NOT NULL AND NEW.removed_at IS DISTINCT FROM OLD.removed_at)
            EXECUTE FUNCTION a_removed_vehicle_stays_removed();

        CREATE FUNCTION a_session_version_grows() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'motorist % is signed out for good', OLD.id
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'a_session_version_grows';
        END $$;
        CREATE TRIGGER a_session_version_grows BEFORE UPDATE OF session_version ON motorist FOR EACH ROW
            WHEN (NEW.session_version < OLD.session_version) EXECUTE FUNCTION a_session_version_grows();
        """
    )


def _rights() -> None:
    append_only("agreement_version", "agreement_signature", "consent", "tariff_version", "calendar_day")
    grant("SELECT, INSERT", "district", "lot_reference")
    grant("SELECT, INSERT, UPDATE", "unit", "operator", "task", "sign_in", "refresh_token")
    grant("SELECT, INSERT, UPDATE", "lot", "bay")
    grant("SELECT, INSERT, UPDATE (session_version, phone_bidx, phone_enc)", "motorist")
    grant("SELECT, INSERT, UPDATE (removed_at)", "vehicle")
    grant("SELECT, INSERT, UPDATE (in_force)", "calendar_version")
    claim = "state, during, admit_from, admit_until, bay_id, hold_expires_at"
    grant(f"SELECT, INSERT, UPDATE ({claim})", "bay_claim")
    append_only("plate")
    grant("UPDATE (kind)", "plate")  # to lock a row, one must be allowed to change some of it; the trigger refuses
    grant("SELECT, INSERT, UPDATE, DELETE", "open_window")
    grant("DELETE", "refresh_token")
    only_ends("policy_number", "lot_tariff", "reference_lot")


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
    for function in FUNCTIONS:
        op.execute(f"DROP FUNCTION {function}()")
    forget_graph("claim")
