"""Vendors' gates are registered by people, and recognised by the secret in the path under which they call."""

import hmac
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_address, ip_network
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from app.domain.gates.actions.devices import UnknownGate, add_key, install_gate, key_place, set_enabled
from app.domain.gates.actions.park_systems import know_park_system
from app.domain.gates.actions.vendor_lists import PARK_SYSTEMS
from app.domain.gates.models import GateDevice, GateKey, VendorGate, VendorList
from app.domain.lots.queries import place_of
from app.domain.lots.queries.places import lot_id_of
from app.domain.staff.rules import Actor, permit
from app.kernel import audit, clock, crypto
from app.kernel.db import current, savepoint, transaction, violated
from app.kernel.refusals import Conflict, Invalid

VENDORS: Final = frozenset({"vz-http", "parkingcam-http", "isecure"})
"""The profiles that are not our own."""

LONGEST_SERIAL: Final = 64
LONGEST_KEY: Final = 128
INPUTS: Final = range(5)
"""Four contacts, and the one that the camera's own protocol closes."""

SECRET_BYTES: Final = 32
LONGEST_OVERLAP: Final = timedelta(days=30)


class GateFieldsRefused(Invalid):
    """What was told of a vendor's gate cannot be; `details.fields` names what, never its value."""

    code = "gate_fields_refused"
    message = "设备登记信息有误，请核对"


class GateAlreadyRegistered(Conflict):
    """The lot has a gate of this name, or the vendor's serial number is registered already."""

    code = "gate_already_registered"
    message = "该停车场已有同名设备，或该序列号已登记"


@dataclass(frozen=True)
class NewVendorGate:
    """What is told of a vendor's gate; `addresses` are networks such as 198.51.100.7/32.

    `app_key` and `app_secret` are those of a car-park's own system, which is called at `web_url`.
    """

    name: str
    profile: str
    serial: str
    lane: str
    direction: str
    addresses: Sequence[str] = ()
    passage_input: int | None = None
    web_url: str | None = None
    app_key: str | None = None
    app_secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class NewSecret:
    """A vendor's gate and its new secret; this is the only time that anybody sees it."""

    gate: uuid.UUID
    key_id: str
    secret: str = field(repr=False)


@dataclass(frozen=True)
class VendorCaller:
    """The gate whose secret was named, and whether the call came from where its row says."""

    device_id: int
    profile: str
    serial: str
    enabled: bool
    is_at_home: bool
    passage_input: int | None


def register_vendor_gate(by: Actor, lot: uuid.UUID, told: NewVendorGate) -> NewSecret:
    """A vendor's gate in a lot, with its first secret. Refuses `GateFieldsRefused` and `GateAlreadyRegistered`."""
    with transaction():
        lot_id = lot_id_of(lot)
        permit(by, "gates.register", place_of(lot_id))
        _refuse_nonsense(told)
        try:
            with savepoint():
                device = _installed(lot_id, told, by)
        except IntegrityError as wrong:
            raise _taken(wrong) from wrong
        return _new_secret(device.id, by)


def rotate_secret(by: Actor, gate: uuid.UUID, overlap: timedelta) -> NewSecret:
    """A new secret from now on; older ones end after `overlap`, at most 30 days. Refuses `GateFieldsRefused`.

    Two may be good at once (`TwoKeysAlready`); with no overlap all older ones end at once.
    """
    with transaction() as session:
        device = _vendors(gate)
        permit(by, "gates.rotate_secret", place_of(device.lot_id))
        if not timedelta() <= overlap <= LONGEST_OVERLAP:
            raise GateFieldsRefused(fields=["overlap"])
        moment = clock.now()
        session.execute(
            update(GateKey)
            .where(GateKey.device_id == device.id, GateKey.valid.contains(moment + overlap))
            .values(valid=func.tstzrange(func.lower(GateKey.valid), moment + overlap))
            .execution_options(synchronize_session=False)
        )
        return _new_secret(device.id, by)


def switch_gate(by: Actor, gate: uuid.UUID, on: bool) -> None:
    """Let a vendor's gate speak, or refuse all that it sends."""
    with transaction():
        device = _vendors(gate)
        permit(by, "gates.switch", place_of(device.lot_id))
        set_enabled(device.id, on, by.label)


def recognise_vendor(gate: uuid.UUID, secret: str, address: str) -> VendorCaller:
    """Which vendor's gate calls. Refuses `UnknownGate` for an unknown gate just as for a wrong secret."""
    with transaction() as session:
        found = session.execute(
            select(GateDevice, VendorGate)
            .join(VendorGate, VendorGate.device_id == GateDevice.id)
            .where(GateDevice.key == gate)
        ).one_or_none()
        if found is None or not _is_secret(found[0].id, secret):
            raise UnknownGate
        device, vendor = found
        return VendorCaller(
            device.id, device.profile, vendor.serial, device.enabled, _is_at_home(vendor.addresses, address),
            vendor.passage_input,
        )  # fmt: skip


def _refuse_nonsense(told: NewVendorGate) -> None:
    wrong = {
        "profile": told.profile not in VENDORS,
        "serial": not (0 < len(told.serial) <= LONGEST_SERIAL and told.serial.isascii() and told.serial.isprintable()),
        "direction": told.direction not in ({"both"} if told.profile in PARK_SYSTEMS else {"in", "out", "both"}),
        "passage_input": told.passage_input is not None and told.passage_input not in INPUTS,
        "addresses": not all(_is_network(network) for network in told.addresses),
        "web_url": not _is_address(told.web_url) if told.web_url is not None else told.profile in PARK_SYSTEMS,
        "app_key": not _is_right(told.app_key, told.profile),
        "app_secret": not _is_right(told.app_secret, told.profile),
    }
    if fields := sorted(name for name, is_wrong in wrong.items() if is_wrong):
        raise GateFieldsRefused(fields=fields)


def _is_right(key: str | None, profile: str) -> bool:
    """A car-park's own system has a key of a few visible characters, and nobody else has one."""
    if profile not in PARK_SYSTEMS or key is None:
        return profile not in PARK_SYSTEMS and key is None
    return 0 < len(key) <= LONGEST_KEY and key.isascii() and key.isprintable() and " " not in key


def _is_network(text: str) -> bool:
    try:
        ip_network(text)
    except ValueError:
        return False
    return True


def _is_address(url: str) -> bool:
    """An http(s) address without credentials, path or query. Whether it may be called is asked at each call."""
    try:
        parts = urlsplit(url)
        named = parts.scheme in {"http", "https"} and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
    return bool(named) and not (parts.username or parts.password or parts.path or parts.query or parts.fragment)


def _installed(lot_id: int, told: NewVendorGate, by: Actor) -> GateDevice:
    device = install_gate(lot_id, told.name, told.lane, told.direction, by.label, told.profile)
    session = current()
    session.add(
        VendorGate(
            device_id=device.id, profile=told.profile, serial=told.serial, addresses=list(told.addresses),
            passage_input=told.passage_input, web_url=told.web_url,
        )
    )  # fmt: skip
    session.flush()
    session.add(VendorList(device_id=device.id))
    session.flush()
    if told.app_key is not None and told.app_secret is not None:
        know_park_system(device.id, told.app_key, told.app_secret)
    return device


def _taken(wrong: IntegrityError) -> Exception:
    names = {"a_gate_is_named_once_in_its_lot", "a_serial_number_names_one_gate"}
    return GateAlreadyRegistered() if violated(wrong) in names else wrong


def _vendors(gate: uuid.UUID) -> GateDevice:
    device = current().scalar(
        select(GateDevice).join(VendorGate, VendorGate.device_id == GateDevice.id).where(GateDevice.key == gate)
    )
    if device is None:
        raise UnknownGate
    return device


def _new_secret(device_id: int, by: Actor) -> NewSecret:
    key_id, secret = secrets.token_hex(8), secrets.token_bytes(SECRET_BYTES)
    add_key(device_id, key_id, secret, by.label)
    audit.record("gates.new_secret", "gate_device", device_id, by.label, {"key_id": key_id})
    return NewSecret(current().get_one(GateDevice, device_id).key, key_id, secret.hex())


def _is_secret(device_id: int, secret: str) -> bool:
    """Compared in constant time with each key that is good now."""
    rows = current().execute(
        select(GateKey.key_id, GateKey.secret_enc).where(
            GateKey.device_id == device_id, GateKey.valid.contains(clock.now())
        )
    )
    known = [crypto.unseal(row.secret_enc, key_place(device_id, row.key_id)) for row in rows]
    return any(hmac.compare_digest(each.encode(), secret.encode()) for each in known)


def _is_at_home(networks: Sequence[str], address: str) -> bool:
    if not networks:
        return True
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return any(found in ip_network(str(network)) for network in networks)
