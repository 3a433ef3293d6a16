"""What a tester may switch while the stand-in runs."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

Belongs = Callable[[str], bool]


@dataclass
class Switches:
    """How WeChat behaves where it may behave in two ways.

    `sign_errors` signs business errors; `platform_certificate` serves and uses the certificate (平台证书);
    `certify_notices` signs notices with it, as during WeChat's gradual change to public keys.
    A refund is PROCESSING for `refund_seconds`, then `refund_outcome`; `empty_sub_merchants` have no money to refund.
    `fee_percent` is what bills say WeChat keeps; fund-flow bills come in parts of `bill_part_lines` (0: whole).
    `trade_managed`: what is paid for must be reported as rendered (发货信息管理).
    `most_a_minute`: how often an operation such as `create` or `combine` may be asked in a minute.
    `close_rest`: of a combined order of which a part is paid, closing ends the rest; else it is refused.
    WeChat's documents disagree about the code of a paid order and the status of its refusal, so both can be chosen.
    """

    sign_errors: bool = False
    platform_certificate: bool = False
    certify_notices: bool = False
    paid_code: str = "ORDER_PAID"
    close_paid_status: int = 400
    close_rest: bool = False
    most_a_minute: dict[str, int] = field(default_factory=dict)
    blocked_sub_merchants: list[str] = field(default_factory=list)
    trade_managed: bool = False
    refund_outcome: str = "SUCCESS"
    refund_seconds: float = 5.0
    empty_sub_merchants: list[str] = field(default_factory=list)
    fee_percent: str = "0.60"
    bill_part_lines: int = 0


def sub_merchants(named: str) -> Belongs:
    """Reads `--sub-merchants`: a range such as 1900000000-1999999999, or a file with one number a line."""
    first, dash, last = named.partition("-")
    if dash and first.isdecimal() and last.isdecimal():
        numbers = range(int(first), int(last) + 1)
        return lambda mchid: mchid.isdecimal() and len(mchid) == len(first) and int(mchid) in numbers
    return frozenset(Path(named).read_text().split()).__contains__
