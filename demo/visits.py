"""The visits of the evening, each a story with its own lot, car and motorist; every fee and receipt is checked."""

from datetime import datetime

from demo import fees
from demo.car import Car, Lot
from demo.clock import at
from demo.fees import Fee, yuan
from demo.motorist import Motorist, Shown
from demo.patience import awaited, insist, insist_equal
from demo.play import Story
from demo.town import BUILDERS, CITY_TREASURY, WESTLAKE_TREASURY, Paid, Town

ORGAN_LOT = "示例·杭州市某机关大院地下停车库"
INSTITUTION_LOT = "示例·西湖区某科研院所南院停车场"
ENTERPRISE_LOT = "示例·上城区某城建集团大楼停车库"
UNHEARD_LOT = "示例·西湖区某机关大院停车场"
OFFLINE_LOT = "示例·杭州市某管理局大院停车场"
CANCELLED_LOT = "示例·上城区某机关院内停车场"
SHORT_LOT = "示例·上城区某图书馆地面停车场"
SHUT_LOT = "示例·杭州市某剧院管理公司停车场"
LOTS = (
    ORGAN_LOT, INSTITUTION_LOT, ENTERPRISE_LOT, UNHEARD_LOT, OFFLINE_LOT, CANCELLED_LOT, SHORT_LOT, SHUT_LOT,
)  # fmt: skip
NEW_CITY = (30.2462, 120.2108)
LAKESIDE = (30.2541, 120.1652)
"""Points (GCJ-02) from which motorists search."""

MAILBOX = "visitor@example.cn"
EBILL, INVOICE = "fiscal_ebill", "tax_invoice"


def organ(town: Town) -> Story:
    """A city organ: reserved, paid by phone; the fee is cut to the cap and belongs to the city's treasury."""
    tell, lot, car, driver = town.voice("organ"), town.lots[ORGAN_LOT], town.car(), town.motorist()
    driver.sign_in()
    vehicle = driver.add_vehicle(car.plate)
    tell("signs in with WeChat, adds the car")
    span = at(18, 45), at(21, 0)
    refused = driver.try_to_reserve(lot.key, vehicle, *span)
    insist_equal("reserving unsigned", (refused.status, refused.code), (403, "agreement_not_signed"))
    tell(f"may not reserve before the agreement is signed: {refused.status} {refused.code}")
    driver.sign_agreement()
    tell("reads and signs the agreement")
    found = driver.look_at(lot.key, NEW_CITY, *span)
    tell(f"finds {lot.name}: {found['open_bays']} bays open, {yuan(found['fee_fen'])} for the evening")
    bay = driver.reserve(lot.key, vehicle, *span)
    tell(f"reserves bay {bay['bay']}")
    awaited("the entrance lists the plate", lambda: car.at(lot.entrance).lists(car.plate))
    tell("the entrance has the plate on its list")
    car.drive_in(lot, "reserved")
    stay = driver.stay_that_began()
    tell("drives in")

    yield at(19, 30)
    expect_fee(driver.stay(stay["key"]), fees.ORGAN_SO_FAR)
    tell(f"owes so far {told(fees.ORGAN_SO_FAR)}")

    yield at(20, 35)
    pay(driver, stay, fees.ORGAN)
    tell(f"pays {told(fees.ORGAN)}")
    leave(driver, car, lot, stay)
    town.paid.append(Paid(CITY_TREASURY, fees.ORGAN.fee_fen))
    expect_bill(driver, fees.ORGAN)
    tell("drives out; a fiscal e-bill is issued")
    expect_letter(town, driver)
    tell(f"asks for it by e-mail: a letter to {MAILBOX} arrives with the PDF")


def institution(town: Town) -> Story:
    """A district institution: nobody knows the car; who scans the exit's screen pays, to the district's treasury."""
    yield at(18, 50)
    tell, lot, car, driver = town.voice("institution"), town.lots[INSTITUTION_LOT], town.car(), town.motorist()
    car.drive_in(lot, "walk_in")
    tell(f"drives into {lot.name} without a reservation: a unit may not refuse (N2.2.3)")

    yield at(20, 25)
    said = car.stop_before(lot.exit)
    insist_equal("the exit", (said["decision"], said["reason"]), ("deny", "unpaid"))
    insist_equal("the exit asks for", said["charge"]["due_fen"], fees.INSTITUTION.fee_fen)
    insist(not said["passed"], "the car passed unpaid")
    tell(f"the exit stays shut: {said['display']}")
    driver.sign_in()
    stay = driver.adopt(said["charge"]["code"])
    tell("signs in with WeChat and scans the code on the barrier's screen")
    pay(driver, stay, fees.INSTITUTION)
    tell(f"pays {told(fees.INSTITUTION)}")
    awaited("the barrier opens by command", lambda: car.at(lot.exit).show()["waiting"] is None)
    driver.stay_once(stay["key"], "settled")
    town.paid.append(Paid(WESTLAKE_TREASURY, fees.INSTITUTION.fee_fen))
    expect_bill(driver, fees.INSTITUTION)
    tell("the barrier opens by itself; a fiscal e-bill is issued")


def enterprise(town: Town) -> Story:
    """A state-owned enterprise: what it earns is its own."""
    yield at(18, 55)
    tell, lot = town.voice("enterprise"), town.lots[ENTERPRISE_LOT]
    driver, car, stay = park(town, lot, at(20, 30))
    tell(f"signs in, signs, reserves, drives into {lot.name}")

    yield at(20, 20)
    pay(driver, stay, fees.ENTERPRISE)
    tell(f"pays {told(fees.ENTERPRISE)}")
    leave(driver, car, lot, stay)
    town.paid.append(Paid(BUILDERS, fees.ENTERPRISE.fee_fen))
    expect_invoice_on_wish(driver, fees.ENTERPRISE)
    tell("drives out; a tax invoice is owed, for whoever asks for one")


def unheard(town: Town) -> Story:
    """No notice ever comes: the sweeper asks WeChat and finds the payment."""
    yield at(18, 55)
    tell, lot = town.voice("no notice"), town.lots[UNHEARD_LOT]
    driver, car, stay = park(town, lot, at(21, 0))
    tell(f"signs in, signs, reserves, drives into {lot.name}")

    yield at(20, 30)
    prepared = driver.ask_to_pay(stay["key"])
    insist_equal("the charge", prepared["charge"]["amount_fen"], fees.UNHEARD.fee_fen)
    number = driver.thumb.lose_notices(prepared["parameters"])
    driver.thumb.pay(prepared["parameters"])
    insist(not driver.has_paid(prepared), "the platform knows of a payment that nobody told it")
    tell(f"pays {told(fees.UNHEARD)}")
    tell("WeChat's notice is lost: the platform does not know that it was paid")

    yield at(20, 31)
    awaited("the sweeper finds the payment", lambda: driver.has_paid(prepared))
    insist_equal("notices", [(each["state"], each["attempts"]) for each in driver.thumb.notices(number)],
                 [("dropped", [])])  # fmt: skip
    tell("the sweeper has asked WeChat: paid")
    leave(driver, car, lot, stay)
    town.paid.append(Paid(WESTLAKE_TREASURY, fees.UNHEARD.fee_fen))
    expect_bill(driver, fees.UNHEARD)
    tell("drives out; a fiscal e-bill is issued")


def offline(town: Town) -> Story:
    """The exit's line is cut: the gate lets the car out by its own list, tells it later, and the debt is paid then."""
    yield at(18, 50)
    tell, lot = town.voice("cut line"), town.lots[OFFLINE_LOT]
    driver, car, stay = park(town, lot, at(21, 0))
    way_out = car.at(lot.exit)
    awaited("the exit lists the plate", lambda: way_out.lists(car.plate))
    tell(f"signs in, signs, reserves, drives into {lot.name}; the exit has the plate on its list")

    yield at(20, 50)
    way_out.do("beat")
    way_out.cut_line()
    left = car.leave_on_its_own(lot)
    insist_equal("the platform believes the car", driver.stay(stay["key"])["state"], "parked")
    tell(f"the exit's line is cut; the gate decides alone ({left['reason']}), the car leaves unpaid")

    yield at(21, 10)
    way_out.mend_line()
    owing = driver.stay_once(stay["key"], "owing")
    gone_at = datetime.fromisoformat(owing["exited_at"])
    insist(at(20, 50) <= gone_at < at(20, 55), f"the late event is dated {gone_at}")
    expect_fee(owing, fees.OFFLINE)
    tell(f"the line is mended; the gate tells that the car left at {gone_at.astimezone(at(0, 0).tzinfo):%H:%M}")
    pay(driver, stay, fees.OFFLINE)
    driver.stay_once(stay["key"], "settled")
    town.paid.append(Paid(CITY_TREASURY, fees.OFFLINE.fee_fen))
    expect_bill(driver, fees.OFFLINE)
    tell(f"pays afterwards {told(fees.OFFLINE)}")


def cancelled(town: Town) -> Story:
    """A reservation that is given back frees its bay for the next, and the gate forgets the plate."""
    yield at(18, 42)
    tell, lot, car, driver = town.voice("cancelled"), town.lots[CANCELLED_LOT], town.car(), town.motorist()
    driver.sign_in()
    driver.sign_agreement()
    vehicle, span = driver.add_vehicle(car.plate), (at(20, 0), at(22, 0))

    def open_bays() -> int:
        return int(driver.look_at(lot.key, LAKESIDE, *span)["open_bays"])

    before = open_bays()
    made = driver.reserve(lot.key, vehicle, *span)
    awaited("the search shows one bay less", lambda: open_bays() == before - 1)
    awaited("the entrance lists the plate", lambda: car.at(lot.entrance).lists(car.plate))
    tell(f"signs in, signs, reserves in {lot.name}: {before} open bays become {before - 1}")
    insist(driver.cancel(made)["in_time"], "the cancellation came too late")
    awaited("the search shows the bay again", lambda: open_bays() == before)
    awaited("the entrance forgets the plate", lambda: not car.at(lot.entrance).lists(car.plate))
    tell(f"cancels in time: {before} again, and the entrance has forgotten the plate")


def short(town: Town) -> Story:
    """Ten minutes are free: the stay is settled without an order."""
    yield at(19, 5)
    tell, lot = town.voice("free stay"), town.lots[SHORT_LOT]
    driver, car, stay = park(town, lot, at(20, 0))
    tell(f"signs in, signs, reserves, drives into {lot.name}")

    yield at(19, 15)
    refused = driver.ask("POST", f"/stays/{stay['key']}/payment")
    insist_equal("paying nothing", (refused.status, refused.code), (409, "nothing_to_pay"))
    leave(driver, car, lot, stay)
    expect_fee(driver.stay(stay["key"]), fees.SHORT)
    insist_equal("receipts for nothing", driver.receipts(), [])
    tell(f"leaves within 15 free minutes: 0 fen, no order ({refused.status} {refused.code}), settled")


def shut(town: Town) -> Story:
    """A theatre needs its bays in the evening: outside the open hours a car may be turned away, and it is recorded."""
    yield at(18, 45)
    tell, lot, car = town.voice("shut lot"), town.lots[SHUT_LOT], town.car()
    said = car.stop_before(lot.entrance)
    insist_equal("the entrance", (said["decision"], said["reason"]), ("deny", "closed"))
    insist(not said["passed"], "the car passed a shut lot")
    tell(f"{lot.name} works in the evening: {said['display']}")


VISITS = (organ, institution, enterprise, unheard, offline, cancelled, short, shut)


def park(town: Town, lot: Lot, until: datetime) -> tuple[Motorist, Car, Shown]:
    """Somebody new reserves from now on and drives in at once."""
    driver, car = town.motorist(), town.car()
    driver.sign_in()
    driver.sign_agreement()
    driver.reserve(lot.key, driver.add_vehicle(car.plate), town.clock.now(), until)
    car.drive_in(lot, "reserved")
    return driver, car, driver.stay_that_began()


def pay(driver: Motorist, stay: Shown, fee: Fee) -> None:
    """Pay what the stay owes, which must be this fee, and wait until the platform knows."""
    expect_fee(driver.stay(stay["key"]), fee)
    prepared = driver.ask_to_pay(stay["key"])
    insist_equal("the charge", prepared["charge"]["amount_fen"], fee.fee_fen)
    driver.thumb.pay(prepared["parameters"])
    awaited("the payment is known", lambda: driver.has_paid(prepared))


def leave(driver: Motorist, car: Car, lot: Lot, stay: Shown) -> None:
    """Drive out with everything paid."""
    car.drive_out(lot)
    driver.stay_once(stay["key"], "settled")


def expect_fee(stay: Shown, fee: Fee) -> None:
    """The platform's own fee, its cap and what is due must be ours."""
    shown = stay["fee"]
    seen = shown["own_fen"], shown["cap_fen"], shown["fee_fen"], shown["due_fen"]
    insist_equal("own, cap, fee, due in fen", seen, (fee.own_fen, fee.cap_fen, fee.fee_fen, fee.fee_fen))


def expect_bill(driver: Motorist, fee: Fee) -> None:
    """The one receipt that follows from a fiscal payee (N3.4): it is issued without being asked for."""
    awaited("the fiscal e-bill is issued", lambda: _receipts(driver) == [(EBILL, fee.fee_fen, "issued")])


def expect_letter(town: Town, driver: Motorist) -> None:
    """The receipt as PDF in a mailbox; what the platform knows of it in the end is that it was delivered."""
    wish = {"receipt_keys": [each["key"] for each in driver.receipts()], "email": MAILBOX}
    asked = driver.do("/receipts/mails", wish)
    letter = awaited("the letter arrives", lambda: next(iter(town.letters_to(MAILBOX)), None))
    insist_equal("enclosed", [each["type"] for each in letter["attachments"]], ["application/pdf"])
    awaited("the mail is delivered", lambda: driver.see(f"/receipts/mails/{asked['key']}")["state"] == "delivered")


def expect_invoice_on_wish(driver: Motorist, fee: Fee) -> None:
    """And from an enterprise: it is owed until the motorist names a title."""
    insist_equal("receipts", _receipts(driver), [(INVOICE, fee.fee_fen, "owed")])


def _receipts(driver: Motorist) -> list[tuple[str, int, str]]:
    return [(each["kind"], each["amount_fen"], each["state"]) for each in driver.receipts()]


def told(fee: Fee) -> str:
    """The fee and how it comes about."""
    return f"{yuan(fee.fee_fen)}: {fee.because}"
