"""The gates: devices and keys, what they reported, what they were told, which cars they let in unasked."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.words import append_only, follows_graph, forget_graph, grant, graph

revision = "0005"
down_revision = "0004"

COMMAND = (
    ("", "born", "pending"),
    ("pending", "hand_out", "issued"),
    ("pending", "expire", "expired"),
    ("issued", "finish", "done"),
    ("issued", "fail", "failed"),
    ("issued", "expire", "expired"),
    ("issued", "lose", "unknown"),
    ("unknown", "finish", "done"),
    ("unknown", "fail", "failed"),
    ("unknown", "expire", "expired"),
)
TABLES = (
    "whitelist_row", "gate_list_version", "gate_list", "gate_command", "gate_decision", "gate_rejection", "gate_event",
    "gate_clock_sample", "gate_pulse", "gate_nonce", "gate_key", "gate_device",
)  # fmt: skip


def upgrade() -> None:
    _devices()
    _events()
    _commands()
    _lists()
    _rights()
    graph("gate_command", COMMAND)
    follows_graph("gate_command", "gate_command")


def _devices() -> None:
    op.create_table(
        "gate_device",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("key", sa.Uuid(), nullable=False),
        sa.Column("lot_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("profile", sa.Text(), server_default="gate-v1", nullable=False),
        sa.Column("offline_exit", sa.Text(), server_default="open", nullable=False),
        sa.Column("enabled", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("direction IN ('in', 'out', 'both')", name="a_gate_leads_in_or_out_or_both"),
        sa.CheckConstraint("offline_exit IN ('open', 'list')", name="an_offline_exit_opens_for_all_or_the_list"),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name="fk_gate_device_lot_id"),
        sa.PrimaryKeyConstraint("id", name="pk_gate_device"),
        sa.UniqueConstraint("key", name="uq_gate_device_key"),
        sa.UniqueConstraint("lot_id", "name", name="a_gate_is_named_once_in_its_lot"),
    )
    op.create_table(
        "gate_key",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("device_id", sa.BigInteger(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("slot", sa.SmallInteger(), nullable=False),
        sa.Column("secret_enc", sa.LargeBinary(), nullable=False),
        sa.Column("valid", postgresql.TSTZRANGE(), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.column("device_id"), "="),
            (sa.column("slot"), "="),
            (sa.column("valid"), "&&"),
            using="gist",
            name="two_keys_of_a_gate_are_valid_at_most",
        ),
        sa.CheckConstraint("NOT isempty(valid) AND lower_inc(valid)", name="a_key_is_valid_for_some_time"),
        sa.CheckConstraint("slot IN (1, 2)", name="a_gate_has_two_key_slots"),
        sa.ForeignKeyConstraint(["device_id"], ["gate_device.id"], name="fk_gate_key_device_id"),
        sa.PrimaryKeyConstraint("id", name="pk_gate_key"),
        sa.UniqueConstraint("device_id", "key_id", name="a_key_is_named_once_per_gate"),
    )
    op.create_table(
        "gate_nonce",
        sa.Column("device_id", sa.BigInteger(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["gate_device.id"], name="fk_gate_nonce_device_id"),
        sa.PrimaryKeyConstraint("device_id", "nonce", name="pk_gate_nonce"),
    )
    op.create_index("ix_gate_nonce_seen_at", "gate_nonce", ["seen_at"], unique=False)
    op.create_table(
        "gate_pulse",
        sa.Column("device_id", sa.BigInteger(), nullable=False),
        sa.Column("contiguous_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("highest_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("mode", sa.Text(), nullable=True),
        sa.Column("barrier", sa.Text(), nullable=True),
        sa.Column("firmware", sa.Text(), nullable=True),
        sa.Column("queue_length", sa.BigInteger(), nullable=True),
        sa.Column("reported_until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("mode IN ('online', 'offline')", name="a_gate_is_online_or_offline"),
        sa.CheckConstraint("contiguous_seq <= highest_seq", name="complete_events_end_at_the_highest"),
        sa.ForeignKeyConstraint(["device_id"], ["gate_device.id"], name="fk_gate_pulse_device_id"),
        sa.PrimaryKeyConstraint("device_id", name="pk_gate_pulse"),
    )
    op.create_table(
        "gate_clock_sample",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("device_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("clock_offset", sa.Interval(), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["gate_device.id"], name="fk_gate_clock_sample_device_id"),
        sa.PrimaryKeyConstraint("id", name="pk_gate_clock_sample"),
    )
    op.create_index("ix_gate_clock_sample_device_id_at", "gate_clock_sample", ["device_id", "at"], unique=False)


def _events() -> None:
    op.create_table(
        "gate_event",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("device_id", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=True),
        sa.Column("plate_enc", sa.LargeBinary(), nullable=True),
        sa.Column("plate_colour", sa.Text(), nullable=True),
        sa.Column("plate_id", sa.BigInteger(), nullable=True),
        sa.Column("device_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("clock_offset", sa.Interval(), nullable=False),
        sa.Column("clock_suspect", sa.Boolean(), nullable=False),
        sa.Column("event_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_by", sa.Text(), nullable=True),
        sa.Column("decision_key", sa.Uuid(), nullable=True),
        sa.Column("offline", sa.Boolean(), nullable=False),
        sa.Column("body_enc", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("direction IN ('in', 'out')", name="a_car_goes_in_or_out"),
        sa.CheckConstraint("event_time <= received_at", name="an_event_happened_before_we_heard_of_it"),
        sa.CheckConstraint("seq > 0", name="a_sequence_number_is_positive"),
        sa.ForeignKeyConstraint(["device_id"], ["gate_device.id"], name="fk_gate_event_device_id"),
        sa.ForeignKeyConstraint(["plate_id"], ["plate.id"], name="fk_gate_event_plate_id"),
        sa.PrimaryKeyConstraint("id", name="pk_gate_event"),
        sa.UniqueConstraint("device_id", "event_id", name="an_event_is_recorded_once"),
        sa.UniqueConstraint("device_id", "seq", name="a_sequence_number_is_used_once"),
    )
    op.create_index("ix_gate_event_device_id_event_time", "gate_event", ["device_id", "event_time"], unique=False)
    op.create_index("ix_gate_event_plate_id_event_time", "gate_event", ["plate_id", "event_time"], unique=False)
    op.create_table(
        "gate_rejection",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("device_id", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("body_enc", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("seq > 0", name="a_rejected_number_is_positive"),
        sa.ForeignKeyConstraint(["device_id"], ["gate_device.id"], name="fk_gate_rejection_device_id"),
        sa.PrimaryKeyConstraint("id", name="pk_gate_rejection"),
        sa.UniqueConstraint("device_id", "seq", name="a_rejection_is_recorded_once"),
    )
    op.create_table(
        "gate_decision",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("key", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("answer_enc", sa.LargeBinary(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("decision IN ('open', 'deny', 'manual')", name="a_decision_opens_denies_or_calls"),
        sa.ForeignKeyConstraint(
            ["device_id", "event_id"],
            ["gate_event.device_id", "gate_event.event_id"],
            name="a_decision_answers_an_arrival",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_gate_decision"),
        sa.UniqueConstraint("device_id", "event_id", name="an_arrival_is_decided_once"),
        sa.UniqueConstraint("key", name="uq_gate_decision_key"),
    )


def _commands() -> None:
    op.create_table(
        "gate_command",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("key", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("arguments_enc", sa.LargeBinary(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.CheckConstraint("state <> 'pending' OR issued_at IS NULL", name="a_waiting_command_was_never_handed_out"),
        sa.CheckConstraint(
            "state IN ('pending', 'issued', 'expired') OR issued_at IS NOT NULL", name="a_result_follows_a_handing_out"
        ),
        sa.CheckConstraint(
            "type <> 'open' OR expires_at <= created_at + interval '10 seconds'",
            name="an_open_command_lives_ten_seconds",
        ),
        sa.CheckConstraint(
            "type IN ('open', 'close', 'keep_open', 'snapshot', 'sync', 'set_time', 'display')",
            name="a_command_is_of_a_known_type",
        ),
        sa.CheckConstraint("expires_at > created_at", name="a_command_expires_after_it_was_made"),
        sa.ForeignKeyConstraint(["device_id"], ["gate_device.id"], name="fk_gate_command_device_id"),
        sa.PrimaryKeyConstraint("id", name="pk_gate_command"),
        sa.UniqueConstraint("key", name="uq_gate_command_key"),
    )
    op.create_index("ix_gate_command_device_id_state", "gate_command", ["device_id", "state"], unique=False)
    op.create_index(
        "ix_gate_command_unsettled",
        "gate_command",
        ["expires_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('pending', 'issued')"),
    )
    op.create_index(
        "one_sync_or_clock_command_waits_per_gate",
        "gate_command",
        ["device_id", "type"],
        unique=True,
        postgresql_where=sa.text("state = 'pending' AND type IN ('sync', 'set_time')"),
    )


def _lists() -> None:
    op.create_table(
        "gate_list",
        sa.Column("device_id", sa.BigInteger(), nullable=False),
        sa.Column("desired_version", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("sent_version", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("acked_version", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("acked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delta_from", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("needs_snapshot", sa.Boolean(), server_default="false", nullable=False),
        sa.CheckConstraint("acked_version <= desired_version", name="a_gate_acknowledges_no_more_than_is_desired"),
        sa.CheckConstraint("acked_version <= sent_version", name="a_gate_acknowledges_no_more_than_it_was_sent"),
        sa.CheckConstraint("sent_version <= desired_version", name="a_gate_is_sent_no_more_than_is_desired"),
        sa.ForeignKeyConstraint(["device_id"], ["gate_device.id"], name="fk_gate_list_device_id"),
        sa.PrimaryKeyConstraint("device_id", name="pk_gate_list"),
    )
    op.create_table(
        "gate_list_version",
        sa.Column("device_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["gate_device.id"], name="fk_gate_list_version_device_id"),
        sa.PrimaryKeyConstraint("device_id", "version", name="pk_gate_list_version"),
    )
    op.create_table(
        "whitelist_row",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("device_id", sa.BigInteger(), nullable=False),
        sa.Column("row_key", sa.Uuid(), nullable=False),
        sa.Column("claim_id", sa.BigInteger(), nullable=False),
        sa.Column("plate_id", sa.BigInteger(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=False),
        sa.Column("not_after", sa.DateTime(timezone=True), nullable=True),
        sa.Column("added_version", sa.BigInteger(), nullable=False),
        sa.Column("removed_version", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("direction IN ('in', 'out', 'both')", name="a_row_leads_in_or_out_or_both"),
        sa.CheckConstraint("not_after > not_before", name="a_row_admits_for_some_time"),
        sa.CheckConstraint("removed_version > added_version", name="a_row_is_removed_after_it_was_added"),
        sa.ForeignKeyConstraint(["claim_id"], ["bay_claim.id"], name="fk_whitelist_row_claim_id"),
        sa.ForeignKeyConstraint(["device_id"], ["gate_device.id"], name="fk_whitelist_row_device_id"),
        sa.ForeignKeyConstraint(["plate_id"], ["plate.id"], name="fk_whitelist_row_plate_id"),
        sa.PrimaryKeyConstraint("id", name="pk_whitelist_row"),
    )
    op.create_index(
        "a_claim_is_on_a_list_once",
        "whitelist_row",
        ["device_id", "claim_id"],
        unique=True,
        postgresql_where=sa.text("removed_version IS NULL"),
    )
    op.create_index(
        "ix_whitelist_row_device_id_added_version", "whitelist_row", ["device_id", "added_version"], unique=False
    )


def _rights() -> None:
    append_only("gate_event", "gate_rejection", "gate_decision")
    grant("SELECT, INSERT, UPDATE", "gate_device", "gate_key", "gate_pulse", "gate_command", "gate_list")
    grant("SELECT, INSERT, DELETE", "gate_nonce", "gate_clock_sample", "gate_list_version")
    grant("SELECT, INSERT, UPDATE, DELETE", "whitelist_row")


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
    forget_graph("gate_command")
