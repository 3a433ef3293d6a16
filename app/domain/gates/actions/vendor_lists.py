"""A vendor's own list is brought to what the claims say, and believed only when it was read back.

Told is not held: nothing is acknowledged because it was sent. Level-triggered: whatever got lost, or whoever reset the
camera, the next reading shows the difference anew.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select

from app.adapters.gates.words import Drop, Habits, ListRead, Put, Read, Step
from app.adapters.gates.words import ListRow as Held
from app.domain.gates.actions.lists import acknowledge, desired_list, is_acknowledged, mark_sent, refresh_whitelist
from app.domain.gates.models import GateDevice, VendorGate, VendorList
from app.domain.gates.rules import vendor_lists as rules
from app.domain.gates.rules.lists import ListRow, list_digest
from app.domain.lots.queries import place_of
from app.domain.motorists.plates import normalise
from app.domain.tasks.actions import open_task
from app.kernel import clock, crypto
from app.kernel.db import current, transaction

PARK_SYSTEMS: Final = frozenset({"isecure"})
"""The profiles that are systems of their own, which we call: `actions/park_systems.py`."""

STUBBORN = 5
"""After so many readings in a row that were not as desired a person must look."""


def next_step(device_id: int, habits: Habits) -> Step | None:
    """What to tell a vendor's gate about its list now; `None` when there is nothing to tell or an answer is awaited.

    Nothing is told before the list was read once: rows that others put there must not be overwritten. Rows are put
    first and dropped after.
    """
    with transaction():
        now, state = clock.now(), _lock(device_id)
        if _is_awaited(state, now) or _rests(state, now):
            return None
        if habits.reads_back and (state.held_enc is None or _is_due(state, now)):
            return _ask(state, now)
        if _is_proved(state):
            return None
        held, ours = _known(state)
        if held is None:
            return None
        return _change(state, habits, held, ours) or _proof(state, habits, now)


def take_part(device_id: int, part: ListRead) -> Step | None:
    """A gate tells a part of its list; returns the question for the next part, or `None` when that was the last."""
    with transaction():
        state = _lock(device_id)
        if state.asked_at is None:
            return None
        rows = [*_rows(state.part_enc, state, "part"), *part.rows] if part.position else list(part.rows)
        if part.rows and len(rows) < part.total:
            state.part_enc, state.asked_at = _sealed(rows, state, "part"), clock.now()
            return Read(len(rows))
        _take_whole(state, rows)
        return None


def take_whole(device_id: int, rows: Sequence[Held], asked_at: datetime) -> bool:
    """What a gate's list was found to hold, asked for at that moment; returns whether it is as desired.

    A list that was changed meanwhile proves nothing, and is read again.
    """
    with transaction():
        state = _lock(device_id)
        return state.asked_at == asked_at and _take_whole(state, rows)


def take_refusal(device_id: int) -> None:
    """The gate would not take a change: what it holds is not known any more."""
    with transaction():
        state = _lock(device_id)
        state.held_enc, state.is_changing = None, False
        _fall_behind(state)


def forget_held(device_id: int) -> None:
    """A gate that started anew may have lost its list: read it before believing anything."""
    with transaction():
        state = _lock(device_id)
        state.held_enc = state.asked_at = state.part_enc = state.proved_at = None


def doubt(device_id: int) -> None:
    """A gate was out of touch, and whatever became of its list meanwhile, nobody heard: it is read before it counts."""
    with transaction():
        state = _lock(device_id)
        state.read_at = state.asked_at = state.proved_at = None
        state.is_changing = False


def is_listed(device_id: int, plate: str, at: datetime) -> bool:
    """Whether a gate's list, as far as we know it, let this car in at that moment."""
    with transaction():
        held, _ = _known(current().get_one(VendorList, device_id))
        row = (held or {}).get(normalise(plate))
        return row is not None and row.begins_at <= at < row.ends_at


@dataclass(frozen=True)
class Question:
    """A gate whose list is to be read at this address, asked for at that moment."""

    device_id: int
    url: str
    at: datetime


def ask_due() -> Question | None:
    """Ask the gate whose list must be read from its web page and which was asked or read the longest ago."""
    with transaction() as session:
        now = clock.now()
        found = session.execute(
            select(VendorList, VendorGate.web_url)
            .join(VendorGate, VendorGate.device_id == VendorList.device_id)
            .join(GateDevice, GateDevice.id == VendorList.device_id)
            .where(GateDevice.enabled, VendorGate.profile.not_in(PARK_SYSTEMS), VendorGate.web_url.is_not(None))
            .where(
                VendorList.held_enc.is_(None)
                | (VendorList.read_at < now - rules.AUDITED_EVERY)
                | (_UNREAD & ~VendorList.is_changing)
            )
            .where((VendorList.asked_at.is_(None)) | (VendorList.asked_at < now - rules.ANSWER_WAITS))
            .order_by(func.greatest(VendorList.asked_at, VendorList.read_at).nulls_first(), VendorList.device_id)
            .limit(1).with_for_update(of=VendorList, skip_locked=True)
        ).one_or_none()  # fmt: skip
        if found is None:
            return None
        state, url = found
        _ask(state, now)
        assert url is not None
        return Question(state.device_id, url, now)


_UNREAD = (VendorList.read_at.is_(None)) | (VendorList.read_at < VendorList.told_at)


def _change(state: VendorList, habits: Habits, held: Mapping[str, Held], ours: Collection[str]) -> Step | None:
    """The next few rows; what is told is noted as held until the list is read."""
    now, (version, listed) = clock.now(), desired_list(state.device_id)
    change = rules.difference(_wanted(state, listed, now), held, ours)
    rows, plates = change.put[: habits.puts], change.drop[: habits.drops]
    state.is_changing = len(change.put) + len(change.drop) > (len(rows) or len(plates))
    if rows:
        _note(state, {**held, **{row.plate: row for row in rows}}, {*ours, *(row.plate for row in rows)}, version)
        return Put(rows)
    if plates:
        _note(state, {plate: row for plate, row in held.items() if plate not in plates}, ours, version)
        return Drop(plates)
    return None


def _is_proved(state: VendorList) -> bool:
    """Whether the list was read and right, nothing was told since, and what it should hold is still the same version.

    So a camera that holds what it should costs one comparison with each of its polls.
    """
    if state.proved_at is None or _is_unread(state):
        return False
    return is_acknowledged(state.device_id, refresh_whitelist(state.device_id, nudge=False))


def _wanted(state: VendorList, listed: Iterable[ListRow], now: datetime) -> dict[str, Held]:
    """A car-park's own system knows who is inside, and takes no word about them."""
    knows_who_is_inside = current().get_one(GateDevice, state.device_id).profile in PARK_SYSTEMS
    return rules.wanted((row for row in listed if not (knows_who_is_inside and row.direction == "out")), now)


def _proof(state: VendorList, habits: Habits, now: datetime) -> Step | None:
    return _ask(state, now) if habits.reads_back and _is_unread(state) else None


def _is_unread(state: VendorList) -> bool:
    return state.read_at is None or (state.told_at is not None and state.read_at < state.told_at)


def _ask(state: VendorList, now: datetime) -> Step:
    state.asked_at, state.part_enc = now, None
    return Read(0)


def _is_awaited(state: VendorList, now: datetime) -> bool:
    return state.asked_at is not None and now < state.asked_at + rules.ANSWER_WAITS


def _rests(state: VendorList, now: datetime) -> bool:
    return state.told_at is not None and now < state.told_at + rules.pause(state.failures)


def _is_due(state: VendorList, now: datetime) -> bool:
    return state.read_at is None or state.read_at < now - rules.AUDITED_EVERY


def _take_whole(state: VendorList, rows: Iterable[Held]) -> bool:
    """The truth about a list: it replaces what was believed, and proves the desired version or does not."""
    now, held, (_, ours) = clock.now(), {normalise(row.plate): row for row in rows}, _known(state)
    version, listed = desired_list(state.device_id)
    want, was_told = _wanted(state, listed, now), state.told_at is not None and _is_unread(state)
    state.held_enc, state.read_at = _sealed(held.values(), state, "held"), now
    state.asked_at = state.part_enc = None
    if not rules.is_level(want, held, ours):
        _fall_behind(state, surprises=was_told or not rules.difference(want, held, ours))
        return False
    state.proved_at, state.failures, state.is_changing = now, 0, False
    state.ours_enc = _sealed_words(sorted(plate for plate in ours if plate in want), state)
    mark_sent(state.device_id, version)
    return acknowledge(state.device_id, version, list_digest(listed))


def _fall_behind(state: VendorList, *, surprises: bool = True) -> None:
    """Nobody is surprised while rows are still to be told; after that the gate has not done as it was told."""
    state.proved_at = None
    if surprises and not state.is_changing:
        state.failures += 1
    if state.failures >= STUBBORN:
        lot_id = current().get_one(GateDevice, state.device_id).lot_id
        open_task("gate_list_refused", "gate_device", state.device_id, place=place_of(lot_id))


def _note(state: VendorList, held: Mapping[str, Held], ours: Collection[str], version: int) -> None:
    """What was asked before this change proves nothing about the list after it."""
    state.held_enc = _sealed(held.values(), state, "held")
    state.ours_enc = _sealed_words(sorted(ours), state)
    state.told_at, state.asked_at, state.part_enc = clock.now(), None, None
    mark_sent(state.device_id, version)


def _lock(device_id: int) -> VendorList:
    return current().get_one(VendorList, device_id, with_for_update=True, populate_existing=True)


def _known(state: VendorList) -> tuple[Mapping[str, Held] | None, set[str]]:
    """What the gate is believed to hold, by plate, and which of the plates are ours."""
    held = None if state.held_enc is None else {row.plate: row for row in _rows(state.held_enc, state, "held")}
    ours = json.loads(crypto.unseal(state.ours_enc, _place(state, "ours"))) if state.ours_enc else []
    return held, set(ours)


def _rows(sealed: bytes | None, state: VendorList, name: str) -> list[Held]:
    if sealed is None:
        return []
    told = json.loads(crypto.unseal(sealed, _place(state, name)))
    return [Held(plate, datetime.fromisoformat(begins), datetime.fromisoformat(ends)) for plate, begins, ends in told]


def _sealed(rows: Iterable[Held], state: VendorList, name: str) -> bytes:
    told = [(row.plate, row.begins_at.isoformat(), row.ends_at.isoformat()) for row in rows]
    return crypto.seal(json.dumps(told), _place(state, name))


def _sealed_words(plates: Sequence[str], state: VendorList) -> bytes:
    return crypto.seal(json.dumps(plates), _place(state, "ours"))


def _place(state: VendorList, name: str) -> str:
    return f"vendor_list.{name}_enc:{state.device_id}"
