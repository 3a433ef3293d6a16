"""An order to be paid inside the mini-program."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

BEIJING = timezone(timedelta(hours=8))
# WeChat also allows | and *, which need percent-encoding in paths; we never use them.
NUMBER = re.compile(r"[0-9A-Za-z_-]{6,32}")
DESCRIPTION_LENGTH = 127
ATTACH_LENGTH = 128


@dataclass(frozen=True)
class JsapiOrder:
    """What to charge, to whom, for which sub-merchant (WeChat Pay v3: partner/4012791856).

    `amount_fen` is at least 1. `time_expire` is the last moment to pay, whole seconds count. A comma or backtick in
    `description` or `attach` would break the trade bill's columns. Raises `ValueError` for what WeChat cannot take.
    """

    out_trade_no: str
    sub_mchid: str
    description: str
    amount_fen: int
    sp_openid: str = field(repr=False)
    notify_url: str
    time_expire: datetime
    attach: str = ""

    def __post_init__(self) -> None:
        expect(NUMBER.fullmatch(self.out_trade_no) is not None, "out_trade_no is 6 to 32 of 0-9 A-Z a-z _ -")
        expect(self.amount_fen >= 1, "amount_fen is at least 1")
        expect(self.time_expire.tzinfo is not None, "time_expire is an aware time")
        expect(0 < len(self.description) <= DESCRIPTION_LENGTH, "description has 1 to 127 characters")
        expect(len(self.attach) <= ATTACH_LENGTH, "attach has at most 128 characters")
        expect(not set(",`") & set(self.description + self.attach), "no comma or backtick in bill columns")

    def body(self) -> bytes:
        """The order as canonical JSON: the same order gives the same bytes, so keep them and a retry is identical."""
        wanted: dict[str, object] = {
            "sub_mchid": self.sub_mchid,
            "description": self.description,
            "out_trade_no": self.out_trade_no,
            "time_expire": self.time_expire.astimezone(BEIJING).isoformat(timespec="seconds"),
            "notify_url": self.notify_url,
            "amount": {"total": self.amount_fen, "currency": "CNY"},
            "payer": {"sp_openid": self.sp_openid},
        }
        return canonical(wanted | ({"attach": self.attach} if self.attach else {}))


def canonical(value: Mapping[str, object]) -> bytes:
    """JSON as WeChat documents it: UTF-8, no spaces, keys in the order given."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def expect(holds: bool, otherwise: str) -> None:
    """Raise `ValueError` with these words unless it holds."""
    if not holds:
        raise ValueError(otherwise)
