"""What all records of a batch have in common: a verdict, moments that can be, equal bytes for equal values."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from app.kernel.refusals import Conflict, Invalid

SKEW = timedelta(minutes=5)
"""How far a partner's clock may run ahead of ours."""

BATCH = 500
"""Records in one message at most."""

Outcome = Literal["recorded", "repeated", "refused"]


class RecordUnreadable(Invalid):
    """A record of a batch lacks a field or has a wrong or unknown one; `details.fields` names them."""

    code = "fields_refused"
    message = "记录字段缺失、未知或格式有误"


class TimeRunsBackwards(Conflict):
    """Something told for that moment or a later one is known already, and this differs from it."""

    code = "time_runs_backwards"
    message = "已收到同一时刻或更晚的数据，且内容不同"


class TimeInFuture(Invalid):
    """A moment lies more than 5 minutes ahead; `details.server_time` tells ours."""

    code = "time_in_future"
    message = "时间晚于平台时间 5 分钟以上，请校准时钟"


@dataclass(frozen=True)
class Verdict:
    """What became of one record of a batch: took effect, was known already, or was refused with a code."""

    index: int
    outcome: Outcome
    code: str | None = None
    message: str | None = None
    details: Mapping[str, Any] | None = None


def refuse_future(now: datetime, *moments: datetime) -> None:
    """Refuses `TimeInFuture` when one of the moments lies more than 5 minutes ahead."""
    if max(moments) > now + SKEW:
        raise TimeInFuture(server_time=now.isoformat())


def canonical(value: object) -> bytes:
    """A value as JSON with sorted names, so that equal values have equal bytes."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str).encode()
