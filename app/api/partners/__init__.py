"""The door for units' and operators' own systems: /partner/v1, signed JSON both ways (docs/partner-api.md)."""

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from flask import g

from app.api.partners import forms
from app.api.partners.guard import PARTNER, blueprint, partner_id
from app.domain.lots.queries import LotNotFound
from app.domain.partners import actions as partners
from app.domain.partners import queries
from app.domain.partners.rules import Verdict
from app.kernel import clock
from app.web.once import once
from app.web.policy import admits

__all__ = ["blueprint"]

PAGE = 200


@blueprint.get("/clock")
@admits(PARTNER)
@blueprint.gives(200, forms.ShownClock)
@blueprint.refuses(401, 429)
def read_clock() -> dict[str, Any]:
    """平台时间

    用于校准时钟和检查密钥是否有效。
    """
    return {"server_time": clock.now()}


@blueprint.get("/lots")
@admits(PARTNER)
@blueprint.takes(forms.PageForm, location="query")
@blueprint.gives(200, forms.OwnLots)
@blueprint.refuses(401, 422, 429)
def list_lots(page: dict[str, Any]) -> dict[str, Any]:
    """本方停车场

    只列出本单位的停车场，或本运营单位有效协议内的停车场。坐标系为 GCJ-02。
    """
    found = queries.list_own_lots(partner_id(), page.get("after"), PAGE + 1)
    shown = found[:PAGE]
    return {"lots": _shown(shown), "next": shown[-1].lot.key if len(found) > PAGE else None}


@blueprint.put("/lots/<uuid:lot>")
@admits(PARTNER)
@blueprint.takes(forms.LotForm)
@blueprint.gives(200, forms.ShownDescription)
@blueprint.refuses(400, 401, 404, 409, 422, 429)
def describe_lot(told: dict[str, Any], lot: uuid.UUID) -> dict[str, Any]:
    """报送停车场静态信息

    与平台登记不一致的内容成为变更建议，由开放单位或监管部门审核后生效；来源系统编码 own_code 立即生效。
    """
    own = queries.own_lots(partner_id(), [lot]).get(lot)
    if own is None:
        raise LotNotFound
    g.lot_id = own.id
    outcome = partners.propose(partner_id(), lot, forms.particulars(told))
    return {**asdict(outcome), "outcome": "proposed" if outcome.proposal else "unchanged"}


@blueprint.post("/counts")
@admits(PARTNER)
@once
@blueprint.takes(forms.CountBatch)
@blueprint.gives(200, forms.ShownVerdicts)
@blueprint.refuses(400, 401, 409, 413, 415, 422, 429)
def push_counts(batch: dict[str, Any]) -> dict[str, Any]:
    """报送空余泊位数

    每条记录单独判定：有效的生效，无效的随序号、代码和说明返回。
    """
    return _told(partners.take_counts(partner_id(), [forms.count_record(read) for read in batch["counts"]]))


@blueprint.post("/visits")
@admits(PARTNER)
@once
@blueprint.takes(forms.VisitBatch)
@blueprint.gives(200, forms.ShownVerdicts)
@blueprint.refuses(400, 401, 409, 413, 415, 422, 429)
def push_visits(batch: dict[str, Any]) -> dict[str, Any]:
    """报送进出场记录

    每条记录单独判定；同一记录重复报送不产生新的效果；更正与作废须说明原因。
    """
    return _told(partners.take_visits(partner_id(), [forms.visit_record(read) for read in batch["visits"]]))


def _told(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    tally = Counter(verdict.outcome for verdict in verdicts)
    counted = {outcome: tally[outcome] for outcome in ("recorded", "repeated", "refused")}
    return {**counted, "verdicts": [asdict(verdict) for verdict in verdicts]}


def _shown(lots: Sequence[queries.OwnLot]) -> list[dict[str, Any]]:
    ids = [own.id for own in lots]
    codes, proposals = queries.own_codes(partner_id(), ids), queries.open_proposal_keys(partner_id(), ids)
    return [
        {
            **vars(own.lot), "lot": own.lot.key, "datum": "GCJ-02", "shared_bays": own.capacity.bays,
            "own_code": codes.get(own.id), "proposal": proposals.get(own.id),
        }
        for own in lots
    ]  # fmt: skip
