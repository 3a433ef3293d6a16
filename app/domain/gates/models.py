"""Barrier gates (道闸): the devices, what they reported, what they were told and which cars they let in unasked.

Plates, answers and raw messages rest sealed. Nonces, events, rejections, decisions and list versions are
append-only for the application role (nonces and list versions are purged by age).
"""

import uuid
from datetime import datetime, timedelta

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Interval,
    SmallInteger,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, CIDR, TSTZRANGE, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.base import Base, Id, Key
from app.kernel.forgetting import forgotten_after
from app.kernel.states import BORN, Machine

COMMAND = Machine(
    "gate_command",
    [
        (BORN, "born", "pending"),
        ("pending", "hand_out", "issued"),
        ("pending", "expire", "expired"),
        ("issued", "finish", "done"),
        ("issued", "fail", "failed"),
        ("issued", "expire", "expired"),
        ("issued", "lose", "unknown"),
        ("unknown", "finish", "done"),
        ("unknown", "fail", "failed"),
        ("unknown", "expire", "expired"),
    ],
)
"""A command is handed out once. One without a result is unknown, and never sent again: the arm may have moved."""


class GateDevice(Base):
    """Gate (道闸): one lane's camera, barrier and controller, as one party that signs its messages.

    `profile` names the dialect it speaks. `offline_exit` says what it does with a leaving car while it
    cannot ask: `open` for every car, or only for plates on its `list`.
    """

    __tablename__ = "gate_device"
    id: Mapped[Id]
    key: Mapped[Key]
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"))
    name: Mapped[str]
    lane: Mapped[str]
    direction: Mapped[str]
    profile: Mapped[str] = mapped_column(server_default="gate-v1")
    offline_exit: Mapped[str] = mapped_column(server_default="open")
    enabled: Mapped[bool] = mapped_column(server_default="true")
    created_at: Mapped[datetime]
    __table_args__ = (
        UniqueConstraint("lot_id", "name", name="a_gate_is_named_once_in_its_lot"),
        UniqueConstraint("id", "profile", name="a_gate_speaks_one_dialect"),
        CheckConstraint("direction IN ('in', 'out', 'both')", name="a_gate_leads_in_or_out_or_both"),
        CheckConstraint("profile IN ('gate-v1', 'vz-http', 'parkingcam-http', 'isecure')", name="a_dialect_is_known"),
        CheckConstraint("offline_exit IN ('open', 'list')", name="an_offline_exit_opens_for_all_or_the_list"),
    )


class VendorGate(Base):
    """What we know of a gate that speaks a vendor's dialect (第三方设备), beside its row in `gate_device`.

    `serial` is the number under which it calls. `addresses`: from where its calls come; empty, from anywhere. Such
    calls are unsigned: what comes with the right secret but another serial or address is written down as unverified.
    `passage_input`: the contact that closes when a car has driven through; without one an opening counts as passing.
    `web_url`: where a camera's own list can be read.
    """

    __tablename__ = "vendor_gate"
    device_id: Mapped[int] = mapped_column(primary_key=True)
    profile: Mapped[str]
    serial: Mapped[str]
    addresses: Mapped[list[str]] = mapped_column(ARRAY(CIDR), server_default="{}")
    passage_input: Mapped[int | None] = mapped_column(SmallInteger)
    web_url: Mapped[str | None]
    replayed_at: Mapped[datetime | None]
    beat_count: Mapped[int | None]
    __table_args__ = (
        ForeignKeyConstraint(
            ["device_id", "profile"], ["gate_device.id", "gate_device.profile"], name="a_vendors_gate_is_a_gate_of_it"
        ),
        UniqueConstraint("profile", "serial", name="a_serial_number_names_one_gate"),
        CheckConstraint("profile <> 'gate-v1'", name="our_own_dialect_is_no_vendors"),
        CheckConstraint("serial <> ''", name="a_vendors_gate_has_a_serial_number"),
        CheckConstraint("passage_input BETWEEN 0 AND 4", name="a_passage_is_told_by_an_input"),
    )


class VendorList(Base):
    """What a vendor's gate is believed to hold on its own list, and how far that is proved.

    `held_enc` is the list as it was last read, changed by what was told since; empty: unknown. `ours_enc` are the
    plates that we told: no other row of the list is ever removed or changed. `asked_at`: since when an answer to
    "what do you hold?" is awaited; telling a change calls the question off. `proved_at`: when the list, read back, was
    as desired. `is_changing`: rows are still to be told. `failures` counts readings in a row that were not.
    """

    __tablename__ = "vendor_list"
    device_id: Mapped[int] = mapped_column(ForeignKey("vendor_gate.device_id"), primary_key=True)
    held_enc: Mapped[bytes | None]
    ours_enc: Mapped[bytes | None]
    part_enc: Mapped[bytes | None]
    asked_at: Mapped[datetime | None]
    told_at: Mapped[datetime | None]
    read_at: Mapped[datetime | None]
    proved_at: Mapped[datetime | None]
    is_changing: Mapped[bool] = mapped_column(server_default="false")
    failures: Mapped[int] = mapped_column(server_default="0")


class ParkSystem(Base):
    """A car-park's own system (车场系统) beside its row in `vendor_gate`: we call it, at `web_url`, with its key.

    `read_until`: its crossing records were read up to then. `due_at`: when it is to be served next.
    """

    __tablename__ = "park_system"
    device_id: Mapped[int] = mapped_column(ForeignKey("vendor_gate.device_id"), primary_key=True)
    app_key: Mapped[str]
    secret_enc: Mapped[bytes]
    read_until: Mapped[datetime]
    due_at: Mapped[datetime]
    __table_args__ = (
        CheckConstraint("app_key <> ''", name="a_park_system_knows_us_by_a_key"),
        Index("ix_park_system_due_at", "due_at"),
    )


class GateKey(Base):
    """A secret of one gate, sealed. Two slots, so that a new key is in use before the old one ends."""

    __tablename__ = "gate_key"
    id: Mapped[Id]
    device_id: Mapped[int] = mapped_column(ForeignKey("gate_device.id"))
    key_id: Mapped[str]
    slot: Mapped[int] = mapped_column(SmallInteger)
    secret_enc: Mapped[bytes]
    valid: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    __table_args__ = (
        UniqueConstraint("device_id", "key_id", name="a_key_is_named_once_per_gate"),
        CheckConstraint("slot IN (1, 2)", name="a_gate_has_two_key_slots"),
        CheckConstraint("NOT isempty(valid) AND lower_inc(valid)", name="a_key_is_valid_for_some_time"),
        ExcludeConstraint(
            ("device_id", "="), ("slot", "="), ("valid", "&&"),
            name="two_keys_of_a_gate_are_valid_at_most", using="gist",
        ),
    )  # fmt: skip


class GateNonce(Base):
    """A number used once. It lies here and not in a cache: a replayed message must find it after any restart."""

    __tablename__ = "gate_nonce"
    device_id: Mapped[int] = mapped_column(ForeignKey("gate_device.id"), primary_key=True)
    nonce: Mapped[str] = mapped_column(primary_key=True)
    seen_at: Mapped[datetime]
    __table_args__ = (Index("ix_gate_nonce_seen_at", "seen_at"),)


class GatePulse(Base):
    """How one gate stands (心跳): the last heartbeat, and the number up to which its events are complete.

    Between the two the gate owes us events. `reported_until` is the moment up to which it owes nothing:
    a fee is final once every gate of the lot has reported past the exit.
    """

    __tablename__ = "gate_pulse"
    device_id: Mapped[int] = mapped_column(ForeignKey("gate_device.id"), primary_key=True)
    contiguous_seq: Mapped[int] = mapped_column(server_default="0")
    highest_seq: Mapped[int] = mapped_column(server_default="0")
    seen_at: Mapped[datetime | None]
    mode: Mapped[str | None]
    barrier: Mapped[str | None]
    firmware: Mapped[str | None]
    queue_length: Mapped[int | None]
    reported_until: Mapped[datetime | None]
    __table_args__ = (
        CheckConstraint("contiguous_seq <= highest_seq", name="complete_events_end_at_the_highest"),
        CheckConstraint("mode IN ('online', 'offline')", name="a_gate_is_online_or_offline"),
    )


class GateClockSample(Base):
    """One comparison of a gate's clock with ours: `clock_offset` is what must be added to the gate's."""

    __tablename__ = "gate_clock_sample"
    id: Mapped[Id]
    device_id: Mapped[int] = mapped_column(ForeignKey("gate_device.id"))
    at: Mapped[datetime]
    clock_offset: Mapped[timedelta] = mapped_column(Interval)
    __table_args__ = (Index("ix_gate_clock_sample_device_id_at", "device_id", "at"),)


class GateDecision(Base):
    """What a gate was told about one arrival; asked again, it is told the same."""

    __tablename__ = "gate_decision"
    id: Mapped[Id]
    key: Mapped[Key]
    device_id: Mapped[int]
    event_id: Mapped[str]
    decision: Mapped[str]
    reason: Mapped[str]
    answer_enc: Mapped[bytes | None]
    decided_at: Mapped[datetime]
    forgotten_at: Mapped[datetime | None]
    __table_args__ = (
        UniqueConstraint("device_id", "event_id", name="an_arrival_is_decided_once"),
        ForeignKeyConstraint(
            ["device_id", "event_id"],
            ["gate_event.device_id", "gate_event.event_id"],
            name="a_decision_answers_an_arrival",
        ),
        CheckConstraint("decision IN ('open', 'deny', 'manual')", name="a_decision_opens_denies_or_calls"),
        *forgotten_after(90, "gate_decision", "decided_at", "answer_enc"),
        Index("ix_gate_decision_forgotten", "id", postgresql_where=text("forgotten_at IS NOT NULL")),
    )


class GateEvent(Base):
    """One event at a gate (过车事件), as reported; append-only.

    `event_time` is `device_time + clock_offset`, never later than `received_at`; fees use it. A gate whose
    clock stood more than five minutes wrong is `clock_suspect`. What came unsigned and from a place that its gate's row
    does not name is not `verified`. `plate_id` is empty for an unplated car. What was read and told of the car rests
    sealed until it is forgotten (`forgotten_at`).
    """

    __tablename__ = "gate_event"
    id: Mapped[Id]
    device_id: Mapped[int] = mapped_column(ForeignKey("gate_device.id"))
    event_id: Mapped[str]
    seq: Mapped[int]
    type: Mapped[str]
    direction: Mapped[str | None]
    plate_enc: Mapped[bytes | None]
    plate_colour: Mapped[str | None]
    plate_id: Mapped[int | None] = mapped_column(ForeignKey("plate.id"))
    device_time: Mapped[datetime]
    received_at: Mapped[datetime]
    clock_offset: Mapped[timedelta] = mapped_column(Interval)
    clock_suspect: Mapped[bool]
    event_time: Mapped[datetime]
    opened_by: Mapped[str | None]
    decision_key: Mapped[uuid.UUID | None]
    offline: Mapped[bool]
    verified: Mapped[bool] = mapped_column(server_default="true")
    body_enc: Mapped[bytes | None]
    forgotten_at: Mapped[datetime | None]
    __table_args__ = (
        UniqueConstraint("device_id", "event_id", name="an_event_is_recorded_once"),
        UniqueConstraint("device_id", "seq", name="a_sequence_number_is_used_once"),
        CheckConstraint("seq > 0", name="a_sequence_number_is_positive"),
        CheckConstraint("event_time <= received_at", name="an_event_happened_before_we_heard_of_it"),
        CheckConstraint("direction IN ('in', 'out')", name="a_car_goes_in_or_out"),
        Index("ix_gate_event_plate_id_event_time", "plate_id", "event_time"),
        Index("ix_gate_event_device_id_event_time", "device_id", "event_time"),
        *forgotten_after(90, "gate_event", "received_at", "body_enc", "plate_enc"),
        Index("ix_gate_event_forgotten", "id", postgresql_where=text("forgotten_at IS NOT NULL")),
    )


class GateRejection(Base):
    """An event that could not be understood, kept sealed so that its number is accounted for; append-only."""

    __tablename__ = "gate_rejection"
    id: Mapped[Id]
    device_id: Mapped[int] = mapped_column(ForeignKey("gate_device.id"))
    seq: Mapped[int]
    code: Mapped[str]
    body_enc: Mapped[bytes | None]
    received_at: Mapped[datetime]
    forgotten_at: Mapped[datetime | None]
    __table_args__ = (
        UniqueConstraint("device_id", "seq", name="a_rejection_is_recorded_once"),
        CheckConstraint("seq > 0", name="a_rejected_number_is_positive"),
        *forgotten_after(90, "gate_rejection", "received_at", "body_enc"),
        Index("ix_gate_rejection_forgotten", "id", postgresql_where=text("forgotten_at IS NOT NULL")),
    )


class GateCommand(Base):
    """One thing that a gate is asked to do, at most once and not after `expires_at`.

    `done` says that the gate obeyed, not that the arm moved: that is an `opened` event.
    """

    __tablename__ = "gate_command"
    id: Mapped[Id]
    key: Mapped[Key]
    device_id: Mapped[int] = mapped_column(ForeignKey("gate_device.id"))
    type: Mapped[str]
    arguments_enc: Mapped[bytes]
    cause: Mapped[str]
    state: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    issued_at: Mapped[datetime | None]
    detail: Mapped[str | None]
    __table_args__ = (
        CheckConstraint(
            "type IN ('open', 'close', 'keep_open', 'snapshot', 'sync', 'set_time', 'display')",
            name="a_command_is_of_a_known_type",
        ),
        CheckConstraint("expires_at > created_at", name="a_command_expires_after_it_was_made"),
        CheckConstraint(
            "type <> 'open' OR expires_at <= created_at + interval '10 seconds'",
            name="an_open_command_lives_ten_seconds",
        ),
        CheckConstraint("state <> 'pending' OR issued_at IS NULL", name="a_waiting_command_was_never_handed_out"),
        CheckConstraint(
            "state IN ('pending', 'issued', 'expired') OR issued_at IS NOT NULL", name="a_result_follows_a_handing_out"
        ),
        Index(
            "one_sync_or_clock_command_waits_per_gate",
            "device_id",
            "type",
            unique=True,
            postgresql_where=text("state = 'pending' AND type IN ('sync', 'set_time')"),
        ),
        Index("ix_gate_command_device_id_state", "device_id", "state"),
        Index(
            "ix_gate_command_unsettled",
            "expires_at",
            postgresql_where=text("state IN ('pending', 'issued')"),
        ),
    )


class GateList(Base):
    """One gate's whitelist (白名单) as a whole: desired -> sent -> acked, each a version that only rises."""

    __tablename__ = "gate_list"
    device_id: Mapped[int] = mapped_column(ForeignKey("gate_device.id"), primary_key=True)
    desired_version: Mapped[int] = mapped_column(server_default="0")
    sent_version: Mapped[int] = mapped_column(server_default="0")
    acked_version: Mapped[int] = mapped_column(server_default="0")
    acked_at: Mapped[datetime | None]
    delta_from: Mapped[int] = mapped_column(server_default="0")
    needs_snapshot: Mapped[bool] = mapped_column(server_default="false")
    __table_args__ = (
        CheckConstraint("sent_version <= desired_version", name="a_gate_is_sent_no_more_than_is_desired"),
        CheckConstraint("acked_version <= sent_version", name="a_gate_acknowledges_no_more_than_it_was_sent"),
        CheckConstraint("acked_version <= desired_version", name="a_gate_acknowledges_no_more_than_is_desired"),
    )


class GateListVersion(Base):
    """What a gate's whitelist amounts to at one version: its digest and its length; append-only."""

    __tablename__ = "gate_list_version"
    device_id: Mapped[int] = mapped_column(ForeignKey("gate_device.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    sha256: Mapped[str]
    rows: Mapped[int]
    made_at: Mapped[datetime]


class WhitelistRow(Base):
    """One plate that a gate opens for while it cannot ask, and since and until which version.

    A renewed booking closes a row and adds one with the same `row_key`: for the gate, an update.
    `not_after` empty: until the row is removed, that is, until the car has left.
    """

    __tablename__ = "whitelist_row"
    id: Mapped[Id]
    device_id: Mapped[int] = mapped_column(ForeignKey("gate_device.id"))
    row_key: Mapped[uuid.UUID]
    claim_id: Mapped[int] = mapped_column(ForeignKey("bay_claim.id"))
    plate_id: Mapped[int] = mapped_column(ForeignKey("plate.id"))
    direction: Mapped[str]
    not_before: Mapped[datetime]
    not_after: Mapped[datetime | None]
    added_version: Mapped[int]
    removed_version: Mapped[int | None]
    __table_args__ = (
        CheckConstraint("removed_version > added_version", name="a_row_is_removed_after_it_was_added"),
        CheckConstraint("not_after > not_before", name="a_row_admits_for_some_time"),
        CheckConstraint("direction IN ('in', 'out', 'both')", name="a_row_leads_in_or_out_or_both"),
        Index(
            "a_claim_is_on_a_list_once",
            "device_id",
            "claim_id",
            unique=True,
            postgresql_where=text("removed_version IS NULL"),
        ),
        Index("ix_whitelist_row_device_id_added_version", "device_id", "added_version"),
    )
