"""Units and operators, and the papers that they show."""

import secrets
from datetime import time
from typing import Any

from app.domain.units import actions as units
from app.domain.units.models import Operator, Unit
from app.domain.units.rules import NewOperator, NewUnit, sample_credit_code
from app.kernel.files import Paper
from tests.world.city import ACTOR, know_districts


def new_unit(kind: str = "enterprise", **told: Any) -> NewUnit:
    """What a unit of Xihu district tells that works from 9:00 to 17:30; names and codes are of its own."""
    number = secrets.randbelow(10**7)
    usual: dict[str, Any] = {
        "name": f"示例单位{secrets.token_hex(4)}", "credit_code": sample_credit_code(kind, number), "kind": kind,
        "level": "district", "district_code": "330106", "office_begins": time(9), "office_ends": time(17, 30),
    }  # fmt: skip
    return NewUnit(**usual | told)


def registered_unit(kind: str = "enterprise", **told: Any) -> Unit:
    """A unit in the register, without a lot."""
    know_districts()
    return units.enter(new_unit(kind, **told), ACTOR)


def registered_operator() -> Operator:
    """An operator in the register."""
    number = secrets.randbelow(10**7)
    told = NewOperator(f"示例运营{secrets.token_hex(4)}", sample_credit_code("enterprise", number), "0571-00000000")
    return units.enter_operator(told, ACTOR)


def paper() -> Paper:
    """A document that somebody hands in."""
    return Paper(b"%PDF-1.7 \xe7\xa4\xba\xe4\xbe\x8b " + secrets.token_bytes(16), "示例文件.pdf")
