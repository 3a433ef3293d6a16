"""A gate's whitelist follows the claims: desired, sent, acknowledged, each version only ever rising.

Level-triggered: whatever was lost on the way, the next comparison finds the difference anew.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import delete, func, select, update

from app.domain.gates import queries
from app.domain.gates.actions.commands import issue
from app.domain.gates.models import GateDevice, GateList, GateListVersion, WhitelistRow
from app.domain.gates.queries import DesiredRow
from app.domain.gates.rules.lists import ListRow, list_digest
from app.kernel import clock
from app.kernel.db import affected, current, transaction
from app.kernel.ids import new_key

HISTORY_KEPT = timedelta(days=7)
NOTHING = list_digest([])


@dataclass(frozen=True)
class Pulled:
    """What a gate needs to come from the version it has to `to`; `full` replaces its list as a whole.

    `sha256` is the digest of the whole list at `to`, however little is sent.
    """

    since: int
    to: int
    full: bool
    sha256: str
    offline_exit: str
    upsert: list[ListRow] = field(default_factory=list)
    delete: list[uuid.UUID] = field(default_factory=list)


def refresh_lot(lot_id: int) -> None:
    """Compare the whitelists of all gates of a lot with its claims."""
    for device_id in queries.gates_of(lot_id):
        refresh_whitelist(device_id)


def refresh_whitelist(device_id: int, nudge: bool = True) -> int:
    """Compare one gate's whitelist with the claims; returns the version that it should hold.

    A difference makes one new version, and the gate is told to pull (unless it is just doing so).
    """
    with transaction():
        gate_list = _lock(device_id)
        if _change(gate_list) and nudge:
            issue(device_id, "sync", {"version": gate_list.desired_version}, "whitelist")
        return gate_list.desired_version


def pull(device_id: int, since: int) -> Pulled:
    """The difference between version `since` and what the gate should hold now.

    It is the whole list when the chain is broken: since the gate has nothing, more than we ever made, a version that
    is forgotten, or a list that did not match.
    """
    with transaction() as session:
        refresh_whitelist(device_id, nudge=False)
        gate_list = _lock(device_id)
        to = gate_list.desired_version
        full = gate_list.needs_snapshot or not max(gate_list.delta_from, 1) <= since <= to
        gate_list.sent_version = to
        exit_rule = session.get_one(GateDevice, device_id).offline_exit
        changed = queries.rows_at(device_id, to) if full else queries.rows_since(device_id, since)
        gone = [] if full else queries.gone_since(device_id, since)
        sha256 = _digest_of(device_id, to)
        assert sha256 is not None
        return Pulled(since, to, full, sha256, exit_rule, changed, gone)


def desired_list(device_id: int) -> tuple[int, list[ListRow]]:
    """The version that a gate should hold now, and its rows."""
    with transaction():
        version = refresh_whitelist(device_id, nudge=False)
        return version, queries.rows_at(device_id, version)


def mark_sent(device_id: int, version: int) -> None:
    """A vendor's gate is being told this version, row by row."""
    with transaction():
        gate_list = _lock(device_id)
        gate_list.sent_version = max(gate_list.sent_version, version)


def acknowledge(device_id: int, version: int, sha256: str) -> bool:
    """The gate says what it now holds; returns whether that is right.

    An old acknowledgement never takes back a newer one. A digest that differs makes the next pull a whole list.
    """
    with transaction():
        gate_list = _lock(device_id)
        right = version <= gate_list.sent_version and sha256 == _digest_of(device_id, version)
        if right:
            gate_list.needs_snapshot = False
            gate_list.acked_version = max(gate_list.acked_version, version)
            gate_list.acked_at = clock.now()
        else:
            _ask_for_snapshot(gate_list)
        return right


def is_acknowledged(device_id: int, version: int) -> bool:
    """Whether the gate said that it holds this version, and nothing since takes it back."""
    with transaction():
        gate_list = _lock(device_id)
        return gate_list.acked_version == version and not gate_list.needs_snapshot


def compare(device_id: int, version: int, sha256: str) -> int:
    """Hold what a heartbeat says the gate has against what it should have; returns the desired version.

    A gate that has less than it acknowledged before was reset: until it acknowledges anew it knows nobody.
    """
    with transaction():
        desired = refresh_whitelist(device_id)
        gate_list = _lock(device_id)
        if version < gate_list.acked_version or sha256 != _digest_of(device_id, version):
            _ask_for_snapshot(gate_list)
        elif version < desired:
            issue(device_id, "sync", {"version": desired}, "heartbeat")
        return desired


def forget_old_lists() -> int:
    """Remove rows and versions of a week ago that every later pull can do without; returns how many rows."""
    with transaction() as session:
        made = select(GateListVersion.device_id, func.max(GateListVersion.version)).group_by(GateListVersion.device_id)
        old = session.execute(made.where(GateListVersion.made_at < clock.now() - HISTORY_KEPT)).all()
        return sum(_forget(device_id, version) for device_id, version in old)


def _lock(device_id: int) -> GateList:
    return current().get_one(GateList, device_id, with_for_update=True, populate_existing=True)


def _change(gate_list: GateList) -> bool:
    """Write the difference between desired and listed as a new version; whether there was any."""
    changes = queries.list_changes(gate_list.device_id)
    if not changes:
        return False
    gate_list.desired_version += 1
    _close([change.row_id for change in changes if change.row_id is not None], gate_list)
    for change in changes:
        if change.wanted is not None:
            _open(gate_list, change.wanted, change.row_key or new_key())
    _seal_version(gate_list)
    return True


def _close(row_ids: Sequence[int], gate_list: GateList) -> None:
    current().execute(
        update(WhitelistRow)
        .where(WhitelistRow.id.in_(row_ids))
        .values(removed_version=gate_list.desired_version)
        .execution_options(synchronize_session=False)
    )


def _open(gate_list: GateList, row: DesiredRow, key: uuid.UUID) -> None:
    current().add(
        WhitelistRow(
            device_id=gate_list.device_id, row_key=key, claim_id=row.claim_id, plate_id=row.plate_id,
            direction=row.direction, not_before=row.not_before, not_after=row.not_after,
            added_version=gate_list.desired_version,
        )
    )  # fmt: skip


def _seal_version(gate_list: GateList) -> None:
    rows = queries.rows_at(gate_list.device_id, gate_list.desired_version)
    current().add(
        GateListVersion(
            device_id=gate_list.device_id, version=gate_list.desired_version, sha256=list_digest(rows),
            rows=len(rows), made_at=clock.now(),
        )
    )  # fmt: skip
    current().flush()


def _digest_of(device_id: int, version: int) -> str | None:
    if version == 0:
        return NOTHING
    return current().scalar(select(GateListVersion.sha256).filter_by(device_id=device_id, version=version))


def _ask_for_snapshot(gate_list: GateList) -> None:
    gate_list.needs_snapshot = True
    issue(gate_list.device_id, "sync", {"version": gate_list.desired_version, "full": True}, "digest")


def _forget(device_id: int, version: int) -> int:
    gate_list = _lock(device_id)
    floor = min(version, gate_list.acked_version)
    gate_list.delta_from = max(gate_list.delta_from, floor)
    old = GateListVersion.version < floor
    current().execute(delete(GateListVersion).where(GateListVersion.device_id == device_id, old))
    gone = WhitelistRow.removed_version <= floor
    return affected(delete(WhitelistRow).where(WhitelistRow.device_id == device_id, gone))
