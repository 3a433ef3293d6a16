"""A small city for tests: each function leaves things in the state that the verb under test needs.

Made by the same actions that people use, at the moment at which the platform's clock stands.
"""

from tests.world.city import ACTOR, ANYWHERE, CHECKER, EVENING, EVER, know_districts, shanghai, the_city
from tests.world.lots import (
    CONTACTS,
    PHOTO,
    SOUND,
    OwnLot,
    approved_lot,
    draft_lot,
    lots_regulator,
    new_plan,
    open_lot,
    open_own_lot,
    pay_to,
    planned_lot,
)
from tests.world.money import PAYER, ordered, paid, vouched
from tests.world.motorists import Driver, driver, some_plate
from tests.world.payees import PLAIN_LINES, payee, with_terms
from tests.world.people import PASSWORD, PASSWORD_HASH, founder, staff
from tests.world.prices import (
    DEAR,
    HOURLY,
    PRICE_OFFICERS,
    bound,
    charge_by,
    dear,
    hourly,
    price_officers,
    reference,
    tariff,
)
from tests.world.units import new_unit, paper, registered_operator, registered_unit
from tests.world.visits import ask, drive, gate, gate_event, parked_stay, recorded, reservation_ready_to_cancel

__all__ = [
    "ACTOR",
    "ANYWHERE",
    "CHECKER",
    "CONTACTS",
    "DEAR",
    "EVENING",
    "EVER",
    "HOURLY",
    "PASSWORD",
    "PASSWORD_HASH",
    "PAYER",
    "PHOTO",
    "PLAIN_LINES",
    "PRICE_OFFICERS",
    "SOUND",
    "Driver",
    "OwnLot",
    "approved_lot",
    "ask",
    "bound",
    "charge_by",
    "dear",
    "draft_lot",
    "drive",
    "driver",
    "founder",
    "gate",
    "gate_event",
    "hourly",
    "know_districts",
    "lots_regulator",
    "new_plan",
    "new_unit",
    "open_lot",
    "open_own_lot",
    "ordered",
    "paid",
    "paper",
    "parked_stay",
    "pay_to",
    "payee",
    "planned_lot",
    "price_officers",
    "recorded",
    "reference",
    "registered_operator",
    "registered_unit",
    "reservation_ready_to_cancel",
    "shanghai",
    "some_plate",
    "staff",
    "tariff",
    "the_city",
    "vouched",
    "with_terms",
]
