"""Rows of lots become drafts."""

from collections.abc import Iterator
from typing import Any

from app.domain.lots.actions.bulk import change_draft, draft_many
from app.jobs.importing.faults import Fault, Faults
from app.jobs.importing.points import hangzhou_point
from app.jobs.importing.register import Counts, Known, LotName, Register, differing
from app.jobs.importing.sheets import LOTS, Row, heading_of


def load_lots(register: Register, rows: Iterator[tuple[int, Row]], faults: Faults) -> Counts:
    """Draft the lots that are not known; a draft that differs is changed, anything else that differs is a fault."""
    counts, new = Counts(), []
    for number, row in rows:
        told = _told(register, number, row, faults)
        name = (row["credit_code"], row["lot"])
        if told is None:
            register.faulty.add(name)
        elif name in register.lots:
            _compare(register, name, told, number, faults, counts)
        else:
            new.append((name, {"unit_id": register.units[name[0]][0], "name": name[1], **told}))
    ids = draft_many(register.by, [told for _, told in new])
    for (name, told), lot_id in zip(new, ids, strict=True):
        register.lots[name] = Known(lot_id, "draft", told, is_new=True)
    counts.new = len(new)
    return counts


def _told(register: Register, number: int, row: Row, faults: Faults) -> dict[str, Any] | None:
    """What the row says of the lot, its point in GCJ-02; None when that makes no sense."""
    point = hangzhou_point(LOTS, row, number, faults)
    chargers, shared = row["total_chargers"] or 0, row["shared_chargers"] or 0
    wrong = []
    if row["credit_code"] not in register.units and row["credit_code"] not in register.faulty:
        wrong.append(("credit_code", "unit_unknown", "该开放单位未登记，也不在本文件中"))
    if shared > chargers:
        wrong.append(("shared_chargers", "too_many_chargers", "不能多于充电桩总数"))
    for name, code, message in wrong:
        faults.add(Fault(LOTS.title, number, heading_of(LOTS, name), code, message))
    if wrong or point is None or row["credit_code"] not in register.units:
        return None
    plain = {name: row[name] for name in ("address", "area", "total_bays", "height_limit_cm", "length_limit_cm")}
    return {
        **plain, "latitude": point.latitude, "longitude": point.longitude,
        "total_chargers": chargers, "shared_chargers": shared,
    }  # fmt: skip


def _compare(
    register: Register, name: LotName, told: dict[str, Any], number: int, faults: Faults, counts: Counts
) -> None:  # fmt: skip
    known = register.lots[name]
    names = differing(known.fields, told)
    if not names:
        counts.same += 1
    elif known.may_change and told["total_bays"] < len(register.bays.get(known.id, {})):
        message = f"少于已登记的 {len(register.bays[known.id])} 个泊位"
        faults.add(Fault(LOTS.title, number, heading_of(LOTS, "total_bays"), "fewer_bays_than_there_are", message))
        register.faulty.add(name)
    elif known.may_change:
        change_draft(register.by, known.id, {name: told[name] for name in names})
        counts.changed += 1
    else:
        headings = "、".join(heading_of(LOTS, name) for name in names)
        message = f"该停车场已提交且内容不同（{headings}），请在系统中变更"
        faults.add(Fault(LOTS.title, number, headings, "lot_differs", message))
