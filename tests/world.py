"""A small city for tests: each function leaves things in the state that the verb under test needs.

Made by the same actions that people use, at the moment at which the platform's clock stands.
"""

import random
import secrets
import uuid
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from app.adapters.identity import Identity
from app.domain.calendars.queries import version_in_force
from app.domain.calendars.seeds import seed
from app.domain.gates import actions as gates
from app.domain.gates.models import GateDevice
from app.domain.gates.queries import passages
from app.domain.lots import actions as lots
from app.domain.lots.models import Lot
from app.domain.motorists import actions as motorists
from app.domain.motorists.models import AgreementVersion, Motorist
from app.domain.motorists.plates import Plate, read_plate
from app.domain.pricing import actions as pricing
from app.domain.pricing.models import (
    CapProof,
    LotPrice,
    LotTariff,
    ReferenceLot,
    ReferenceSet,
    ReferenceVersion,
    TariffVersion,
)
from app.domain.pricing.rules.flow import LOT_PRICE
from app.domain.reservations import actions as reservations
from app.domain.reservations.models import Reservation
from app.domain.staff.models import StaffAccount, StaffGrant
from app.domain.staff.policy import Role
from app.domain.staff.queries import actor_of
from app.domain.staff.rules import Actor, ScopeKind
from app.domain.stays import actions as stays
from app.domain.stays.models import Stay
from app.domain.units import actions as units
from app.domain.units.models import District, Operator, Unit
from app.domain.units.rules import NewOperator, NewUnit, sample_credit_code
from app.kernel import clock
from app.kernel.clock import SHANGHAI
from app.kernel.crypto import seal
from app.kernel.db import current, transaction
from app.kernel.files import Paper
from app.kernel.ids import new_key
from app.kernel.spans import span
from app.kernel.terms import end_running
from payments.charges.actions.locks import lock_charge
from payments.charges.actions.settle import expected_of, payer_place, settle
from payments.charges.models import Charge, Order, OrderLine
from payments.charges.rules import ORDER, ORDER_LIFE
from payments.payees.actions import (
    confirm,
    confirm_channel,
    confirm_terms,
    open_channel,
    open_payee,
    record_terms,
)
from payments.payees.models import Payee
from payments.payees.queries import channel_of
from payments.payees.rules import EnterpriseParticulars, FiscalParticulars, InvoiceForm, Vat
from payments.wechat import Transaction
from tests import moulds

ACTOR = "test"
CHECKER = "test-checker"
EVER = datetime(2020, 1, 1, tzinfo=UTC)
"""Since when what tests open is there."""
PLAIN_LINES = InvoiceForm("plain")
PAYER = "o-payer-of-these-tests-000002"
EVENING = "2026-06-10 20:00"
"""A Wednesday, a work day: offices ended at 17:30, lots are open from 18:30 to 08:00."""
_anywhere = random.SystemRandom()
"""Not the numbers that begin anew with each test: lots out of several moulds would lie on one another."""
HOURLY: dict[str, Any] = {
    "free": None,
    "bands": [
        {
            "name": "all_day", "from": "00:00", "to": "24:00", "days": "all", "method": "stepped",
            "steps": [{"minutes": None, "unit_min": 60, "fen": 300}], "rounding": "up",
        }
    ],
    "boundary_policy": "single_band",
    "period": {"kind": "none", "cap_fen": None},
    "vehicle_classes": {"small": {}},
    "default_class": "small",
}  # fmt: skip
"""3 yuan for each hour begun, without free time."""


def shanghai(text: str) -> datetime:
    """`2026-06-10 20:00` on the clocks of Hangzhou."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def the_city() -> None:
    """Districts, the calendar of 2026, and an agreement to sign."""
    if all(map(moulds.is_here, ("districts", "calendar", "agreement"))):
        return
    know_districts()
    if version_in_force(2026) is None:
        moulds.ready("calendar", _seed)
    if not _agreement_is_published():
        moulds.ready("agreement", _publish)


def know_districts() -> None:
    """The city's districts."""
    if moulds.is_here("districts"):
        return
    with transaction() as session:
        known = session.query(District.code).count()
    if not known:
        moulds.ready("districts", units.know_districts)
    else:
        units.know_districts()


def _seed() -> None:
    seed(2026)


def _agreement_is_published() -> bool:
    with transaction() as session:
        return session.query(AgreementVersion.id).filter_by(version="test-1").count() > 0


def _publish() -> None:
    motorists.publish_agreement("test-1", "车主服务协议（示例）", "示例文本", shanghai("2026-03-31 00:00"))


PASSWORD = "staple battery horse"
PASSWORD_HASH = "$argon2id$v=19$m=19456,t=2,p=1$nnJMTvEE8LNI7tYvZZydWQ$C06CMjjIgMNA1TBvy2aXJU3MsvTSaPgNsohW161i3hk"
"""Computed once: a test that needs many people waits for no hash."""


def staff(
    role: str, scope: str | None = None, *, unit_id: int | None = None, operator_id: int | None = None,
    district_code: str | None = None, login: str | None = None,
) -> Actor:  # fmt: skip
    """A person with an account, whose password is `PASSWORD`, and one role; of the city unless a place is named."""
    know_districts()
    granted_by = _founder()
    place = {"unit": unit_id, "operator": operator_id, "district": district_code}
    named = scope or next((kind for kind, each in place.items() if each is not None), "city")
    with transaction() as session:
        grant = StaffGrant(
            account_id=_account(login or f"{role}-{secrets.token_hex(4)}").id, role=Role(role), scope=ScopeKind(named),
            unit_id=unit_id, operator_id=operator_id, district_code=district_code, granted_by=granted_by,
            granted_at=clock.now(),
        )  # fmt: skip
        session.add(grant)
        session.flush()
        return actor_of(grant.account_id)


def _founder() -> int:
    """The account of who granted all others their roles, and himself his."""
    known: int | None = moulds.there("founder")
    if known is None:
        with transaction() as session:
            known = session.query(StaffAccount.id).filter_by(login="founder").scalar()
    return known or moulds.ready("founder", _found)


def _found() -> int:
    with transaction() as session:
        account = _account("founder")
        session.add(
            StaffGrant(
                account_id=account.id, role=Role.ADMINISTRATOR, scope=ScopeKind.CITY, granted_by=account.id,
                granted_at=clock.now(), is_first=True,
            )
        )  # fmt: skip
        session.flush()
        return account.id


def _account(login: str) -> StaffAccount:
    account = StaffAccount(
        login=login, display_name=f"示例{login}", password_hash=PASSWORD_HASH, password_is_own=True,
        opened_at=clock.now(),
    )  # fmt: skip
    current().add(account)
    current().flush()
    return account


def tariff(parameters: dict[str, Any] | None = None) -> int:
    """A stored tariff under a name of its own."""
    name = f"示例收费标准{secrets.token_hex(4)}"
    return pricing.store_tariff(name, "示例", parameters or HOURLY, ACTOR).id


def hourly(fen: int) -> dict[str, Any]:
    """So much for each hour begun, without free time."""
    band = {**HOURLY["bands"][0], "steps": [{"minutes": None, "unit_min": 60, "fen": fen}]}
    return {**HOURLY, "bands": [band]}


def price_officers() -> tuple[Actor, Actor]:
    """Two people of the city who decide on prices: what one proposes the other approves."""
    there: tuple[Actor, Actor] | None = moulds.there("price-officers")
    if there is not None:
        return there
    with transaction() as session:
        named = session.query(StaffAccount.id).filter(StaffAccount.login.in_(PRICE_OFFICERS))
        known = [account_id for (account_id,) in named.order_by(StaffAccount.login)]
    _founder()
    if known:
        return actor_of(known[0]), actor_of(known[1])
    return moulds.ready("price-officers", _appoint_officers, ["districts", "founder"])


PRICE_OFFICERS = ("price-officer-1", "price-officer-2")


def _appoint_officers() -> tuple[Actor, Actor]:
    one, other = (staff("price_officer", login=each) for each in PRICE_OFFICERS)
    return one, other


def reference(
    parameters: dict[str, Any] | None = None, point: tuple[float, float] = (30.25, 120.15), name: str | None = None,
    since: datetime | None = None, until: datetime | None = None,
) -> ReferenceVersion:  # fmt: skip
    """A government-priced lot in the register: proposed by one officer, approved by another."""
    one, other = price_officers()
    valid = span(since or shanghai("2026-01-01 00:00"), until)
    called = name or f"示例参照停车场{secrets.token_hex(4)}"
    told = pricing.NewReference(called, "示例批复〔2026〕1号", tariff(parameters), valid, point)
    return pricing.approve_reference(other, pricing.propose_reference(one, told, paper()).key)


DEAR = hourly(100_000)
"""A reference that bounds nothing that tests charge."""


def bound(lot: Lot, *versions: ReferenceVersion) -> ReferenceSet:
    """Let references bound a lot's fees from now on; without any, a dear one, which is the same for all lots."""
    one, other = price_officers()
    chosen = [each.reference_id for each in versions] or [_dear()]
    with transaction() as session:
        keys = session.query(ReferenceLot.key).filter(ReferenceLot.id.in_(chosen)).all()
    made = pricing.propose_references(one, lot.key, [key for (key,) in keys], "示例")
    return pricing.approve_references(other, made.key)


def _dear() -> int:
    """The row of the dear reference."""
    name = "示例高价参照停车场"
    known: int | None = moulds.there("dear")
    if known is None:
        with transaction() as session:
            known = session.query(ReferenceLot.id).filter_by(name=name).scalar()
    return known or moulds.ready("dear", lambda: reference(DEAR, name=name).reference_id, ["price-officers"])


def charge_by(lot: Lot, tariff_id: int, since: datetime, running: str = "entry") -> LotTariff:
    """Let a lot charge by a tariff from any moment on, as its unit and two officers leave it who did so by then.

    That it stays under the cap is taken for granted.
    """
    with transaction() as session:
        rests_on = session.query(ReferenceSet).filter_by(lot_id=lot.id, state="approved").one_or_none() or bound(lot)
        proof = _believed(lot, tariff_id, rests_on.id)
        version = session.query(LotPrice).filter_by(lot_id=lot.id).count() + 1
        price = LotPrice(
            lot_id=lot.id, tariff_id=tariff_id, version=version, running=running, state="draft",
            made_by=price_officers()[0].account_id, made_at=since,
        )  # fmt: skip
        session.add(price)
        LOT_PRICE.born(price, ACTOR, "draft")
        LOT_PRICE.move(price, "prove", ACTOR, proof_id=proof.id)
        published = {"published_by": price_officers()[1].account_id, "published_at": since, "effective_from": since}
        told = {"notice": "示例公告", "notice_days": 7, "needs_no_notice": "first"}
        LOT_PRICE.move(price, "publish", ACTOR, **published, **told)
        end_running(LotTariff, [LotTariff.lot_id == lot.id], since)
        row = LotTariff(
            lot_id=lot.id, tariff_id=tariff_id, valid=span(since, None), running=running, price_id=price.id
        )  # fmt: skip
        session.add(row)
        session.flush()
        return row


def _believed(lot: Lot, tariff_id: int, set_id: int) -> CapProof:
    is_free = current().get_one(TariffVersion, tariff_id).is_free
    told = {"holds": True, "result": {"holds": True}, "explanation": "示例", "inputs": {}}
    proof = CapProof(
        lot_id=lot.id, tariff_id=tariff_id, is_free=is_free, set_id=set_id, digest=secrets.token_bytes(32),
        content_digest=secrets.token_bytes(32), first_day=date(2026, 1, 1), last_day=date(2027, 12, 31),
        proved_at=clock.now(), **told,
    )  # fmt: skip
    current().add(proof)
    current().flush()
    return proof


def payee(kind: str = "enterprise") -> Payee:
    """A confirmed recipient: a district's treasury, or an enterprise."""
    payee_id = moulds.common(("payee", kind), lambda: _confirmed_payee(kind))
    with transaction() as session:
        return session.get_one(Payee, payee_id)


def _confirmed_payee(kind: str) -> int:
    fiscal = FiscalParticulars("district", "330106", "001001", "示例事务中心", "示例项目", "示例区财政专户")
    enterprise = EnterpriseParticulars("91330100MA00000000", "示例银行", "571900000000001")
    made = open_payee(
        f"示例收费主体{secrets.token_hex(4)}", enterprise if kind == "enterprise" else fiscal, EVER, actor=ACTOR
    )
    confirm(made.id, confirmed_by=CHECKER, note="示例主体，不得用于真实收费", sample=True)
    if made.tax_number is not None:
        with_terms(made)
    sub_mchid = str(1900000000 + secrets.randbelow(99_999_999))
    confirm_channel(open_channel(made.id, sp_mchid="1600000001", sub_mchid=sub_mchid, actor=ACTOR).key, CHECKER)
    return made.id


def with_terms(receives: Payee, form: InvoiceForm = PLAIN_LINES) -> Payee:
    """The payee, of which two persons have said what its receipts must say, an enterprise's VAT and form too."""
    vat, said = (None, None) if receives.tax_number is None else (Vat("general", 900), form)
    made = record_terms(
        receives.id, EVER, item_code=receives.item_code or "3040502020200000000", item_name="停车服务", vat=vat,
        form=said, note="示例", by=ACTOR,
    )  # fmt: skip
    confirm_terms(made.key, CHECKER)
    return receives


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


PHOTO = Paper(b"\x89PNG\r\n\x1a\n", "示例照片.png")
SOUND = lots.Found(security=True, lighting=True, fire=True)
CONTACTS = (
    lots.NewContact("responsible", "示例责任人", "0571-00000001", "工作日 8:30-17:30"),
    lots.NewContact("deputy", "示例副责任人", "0571-00000002", "夜间及节假日"),
)


def lots_regulator() -> Actor:
    """Who approves lots and plans in these tests: one person of the city, never of a unit."""
    there: Actor | None = moulds.there("lots-regulator")
    if there is not None:
        return there
    with transaction() as session:
        known = session.query(StaffAccount.id).filter_by(login="lots-regulator").scalar()
    _founder()
    return actor_of(known) if known else moulds.ready("lots-regulator", _appoint_regulator, ["districts", "founder"])


def _appoint_regulator() -> Actor:
    return staff("regulator", login="lots-regulator")


@dataclass(frozen=True)
class OwnLot:
    """A lot with somebody of its unit."""

    lot: Lot
    by: Actor

    @property
    def key(self) -> uuid.UUID:
        return self.lot.key


def draft_lot(bays: int = 2, kind: str = "enterprise", of_unit: Unit | None = None, **told: Any) -> OwnLot:
    """A lot of a new unit as somebody of the unit drafts it; a third of its bays is shared."""
    the_city()
    unit = of_unit or units.enter(new_unit(kind), ACTOR)
    by = staff("unit", unit_id=unit.id)
    usual: dict[str, Any] = {
        "name": f"示例停车场{secrets.token_hex(4)}", "address": "示例路1号", "total_bays": 3 * bays,
        "latitude": 30.25 + _anywhere.random() / 100, "longitude": 120.15 + _anywhere.random() / 100,
    }  # fmt: skip
    named = [lots.NewBay(f"A{number:03d}", "A") for number in range(1, bays + 1)]
    return OwnLot(lots.draft(by, unit.key, lots.NewLot(**usual | told), named), by)


def new_plan(bays: int = 2, **told: Any) -> lots.NewPlan:
    """What a unit tells in a plan that keeps to the notice."""
    usual: dict[str, Any] = {
        "shared_bays": bays, "safety_rules": "示例安全管理制度", "emergency_plan": "示例应急预案",
    }  # fmt: skip
    return lots.NewPlan(**usual | told)


def planned_lot(bays: int = 2, kind: str = "enterprise", plan: dict[str, Any] | None = None, **told: Any) -> OwnLot:
    """A draft with an approved plan and sound facilities."""
    own = draft_lot(bays, kind, **told)
    made = lots.draft_plan(own.by, own.key, new_plan(bays, **plan or {}), CONTACTS)
    lots.submit_plan(own.by, made.key)
    lots.approve_plan(lots_regulator(), made.key, "同意")
    lots.check_facilities(own.by, own.key, SOUND, PHOTO)
    return own


def approved_lot(bays: int = 2, kind: str = "enterprise", plan: dict[str, Any] | None = None, **told: Any) -> OwnLot:
    """A lot that its unit may publish."""
    own = planned_lot(bays, kind, plan, **told)
    lots.submit(own.by, own.key)
    lots.approve(lots_regulator(), own.key)
    return own


def open_own_lot(bays: int = 2, kind: str = "enterprise", plan: dict[str, Any] | None = None, **told: Any) -> OwnLot:
    """A lot that the public uses, without tariff and payee."""
    the_city()
    lots_regulator()

    def opened() -> tuple[int, Actor]:
        with transaction():
            own = approved_lot(bays, kind, plan, **told)
            lots.publish(own.by, own.key)
            return own.lot.id, own.by

    lot_id, by = moulds.ready(_wish(bays, kind, plan, **told), opened, ["calendar", "lots-regulator"])
    with transaction() as session:
        return OwnLot(session.get_one(Lot, lot_id), by)


def _wish(bays: int, kind: str, plan: dict[str, Any] | None = None, **told: Any) -> Hashable:
    return "open lot", bays, kind, repr(plan), repr(sorted(told.items()))


def open_lot(bays: int = 2, kind: str = "enterprise", parameters: dict[str, Any] | None = None) -> Lot:
    """A lot of a new unit, open by the rule of N2.2.1, with a tariff and a payee."""
    lot = open_own_lot(bays, kind).lot
    price_officers()
    _dear()

    def charging() -> None:
        since = clock.now() - timedelta(days=1)
        charge_by(lot, tariff(parameters), since)
        pay_to(lot, payee("enterprise" if kind == "enterprise" else "fiscal"), since)

    wish = _wish(bays, kind)
    if (moulds.there(wish) or (None,))[0] == lot.id:
        moulds.ready(("charging lot", lot.key, repr(parameters)), charging, [wish, "price-officers", "dear"])
    else:
        charging()
    return lot


def pay_to(lot: Lot, receives: Payee, since: datetime) -> None:
    """Let a lot's money belong to a payee, as a finance checker does."""
    with transaction():
        lots.enter_payee(lot, receives.id, since, ACTOR, CHECKER)


@dataclass(frozen=True)
class Driver:
    """A motorist who signed the agreement, with one vehicle."""

    id: int
    key: uuid.UUID
    vehicle_key: uuid.UUID
    plate: Plate


def some_plate(chance: random.Random | None = None) -> Plate:
    """A blue plate of Hangzhou that no other test uses; without `chance` the same in the same test."""
    choices = (chance or random).choices
    return read_plate("浙A" + "".join(choices("BCDEFGHJKLMNPQRSTUVWXYZ23456789", k=5)), "blue")


def driver(plate: Plate | None = None) -> Driver:
    """A motorist ready to reserve."""
    the_city()
    return _ready_to_reserve(plate) if plate else moulds.common("driver", _somebody, ["agreement"])


def _somebody() -> Driver:
    return _ready_to_reserve(some_plate(_anywhere))


def _ready_to_reserve(own: Plate) -> Driver:
    grant = motorists.sign_in("wx0000000000000000", Identity(openid=f"o-{secrets.token_hex(12)}", unionid=None))
    motorist_id = _id_of(grant.motorist_key)
    motorists.sign_agreement(motorist_id, "test-1", {"system": "test"})
    vehicle = motorists.add_vehicle(motorist_id, own.characters, own.colour)
    return Driver(motorist_id, grant.motorist_key, vehicle.key, own)


def _id_of(key: uuid.UUID) -> int:
    with transaction() as session:
        return session.query(Motorist.id).filter_by(key=key).scalar() or 0


def reservation_ready_to_cancel(who: Driver, lot: Lot, hours: float = 2) -> Reservation:
    """A confirmed reservation that begins in an hour."""
    begins_at = clock.now() + timedelta(hours=1)
    return reservations.reserve(who.id, who.vehicle_key, lot.key, begins_at, begins_at + timedelta(hours=hours))


def gate(lot: Lot, direction: str = "in") -> GateDevice:
    """One lane's gate."""
    return gates.install_gate(lot.id, f"示例道闸{secrets.token_hex(3)}", "1", direction, ACTOR)


_numbers: dict[int, int] = {}


def gate_event(device: GateDevice, plate: Plate | None, at: datetime, type_: str = "passed") -> int:
    """A gate's event, stored as the door stores it; returns its row."""
    number = _numbers[device.id] = _numbers.get(device.id, 0) + 1
    told = {
        "event_id": f"E{device.id}-{number}", "seq": number, "type": type_,
        "plate_raw": plate.characters if plate else "_无_", "plate_color": plate.colour if plate else "unknown",
        "device_time": at.isoformat(), "lane": "1",
    }  # fmt: skip
    return recorded(device, [told])[0]


def recorded(device: GateDevice, batch: Sequence[Mapping[str, Any]]) -> list[int]:
    """The rows of events that a gate told together."""
    with transaction():
        return gates.record(gates.receive(device.id, batch)).event_ids


def ask(device: GateDevice, plate: Plate | None) -> Any:
    """A car stands at the gate now; what the gate is told."""
    passage = passages([gate_event(device, plate, clock.now(), "arrived")])[0]
    return gates.decide_once(gates.Arrival(passage, is_new=True), lambda: stays.decide(passage)).decision


def drive(device: GateDevice, plate: Plate | None, at: datetime | None = None) -> int:
    """A car passes the gate (now, if not told otherwise) and the passage is understood; returns the event's row."""
    event_id = gate_event(device, plate, at or clock.now())
    stays.project([event_id])
    return event_id


def parked_stay(who: Driver, entrance: GateDevice) -> Stay:
    """A car that drove in just now without a reservation; its motorist scanned the code on the barrier's screen."""
    told = ask(entrance, who.plate)
    assert told.decision == "open"
    drive(entrance, who.plate)
    return stays.adopt(who.id, told.charge["code"])


def paid(charge_key: uuid.UUID) -> None:
    """WeChat took the money of a charge: settled as by a notice, without a notice."""
    with transaction():
        outcome = settle(vouched(ordered(lock_charge(charge_key))), ACTOR)
        assert outcome in {"paid", "paid_late"}, outcome


def ordered(owed: Charge) -> Order:
    """An order of the charge that lies at WeChat."""
    key, channel = new_key(), channel_of(owed.payee_id)
    order = Order(
        key=key, channel_id=channel.id, payee_id=owed.payee_id, amount_fen=owed.amount_fen,
        out_trade_no=key.hex, sp_appid="wx0000000000000000", body=b"", state="preparing",
        created_at=clock.now(), expires_at=clock.now() + ORDER_LIFE,
    )  # fmt: skip
    order.payer = seal(PAYER, payer_place(order))
    current().add(order)
    ORDER.born(order, ACTOR)
    current().add(
        OrderLine(
            order_id=order.id, charge_id=owed.id, payee_id=owed.payee_id, amount_fen=owed.amount_fen,
            order_state=order.state,
        )
    )  # fmt: skip
    current().flush()
    return order


def vouched(order: Order) -> Transaction:
    """The payment of this order as WeChat reports it."""
    return Transaction(
        **vars(expected_of(order)), transaction_id=f"42{secrets.randbelow(10**26):026}", trade_state="SUCCESS",
        payer_total_fen=order.amount_fen, success_time=clock.now(), attach=None, trade_type="JSAPI",
    )  # fmt: skip
