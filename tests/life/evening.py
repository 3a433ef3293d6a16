"""One evening at one lot as Hypothesis plays it: people reserve, come, stay, pay and go, or do not, in any order.

The books that are kept here know what people did and what they were told; what the platform holds is read from its
tables by plain Python, which shares no condition with the queries of the platform.
"""

import math
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule
from sqlalchemy import ColumnElement, select

from app.domain.claims.actions import LotFull, OutsideOpenHours, PlateBusy, StayTaken
from app.domain.claims.models import BayClaim
from app.domain.claims.queries import claim_by_id
from app.domain.gates.actions.lists import desired_list
from app.domain.lots.models import Bay
from app.domain.motorists.models import Vehicle
from app.domain.motorists.plates import read_plate
from app.domain.reservations import actions as reservations
from app.domain.reservations.models import Reservation
from app.domain.reservations.rules import InThePast, NotLonger, TooManyReservations
from app.domain.stays import actions as stays
from app.domain.stays.models import Bill, Stay, TurnAway
from app.domain.stays.queries import bills_of
from app.kernel.db import transaction
from app.kernel.spans import bounds
from app.kernel.states import WrongState
from tests.conftest import MovableClock
from tests.world import Driver, ask, drive, driver, gate, gate_event, open_lot, paid

DEED = timedelta(seconds=16)
"""Longer than two readings of one passage lie apart; and no deed falls within seconds of one of the city's limits."""
ASIDE = timedelta(seconds=2)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
EARLY, LATE, IN_TIME, GRACE = 15 * MINUTE, 30 * MINUTE, 30 * MINUTE, 15 * MINUTE
AT_MOST = 3
"""The city's numbers: arrival window, free cancellation, time to leave after paying, live reservations."""
BAYS = 2
HOURLY_FEN = 300
LIVE = {"held", "confirmed", "in_use"}
OVER = {"completed", "expired", "cancelled", "no_show", "displaced"}


@dataclass
class Person:
    """A motorist with a car, and what they know of themselves."""

    who: Driver
    plate_id: int
    came_at: datetime | None = None
    paid_until: datetime | None = None
    events: list[int] = field(default_factory=list)


class Evening(RuleBasedStateMachine):
    """Three motorists, two bays, one gate in and one out, from 20:00 on."""

    began: datetime
    time: MovableClock

    @initialize()
    def open_up(self) -> None:
        self.now = self.began
        self.time.move_to(self.now)
        self.lot = open_lot(bays=BAYS)
        self.way_in, self.way_out = gate(self.lot), gate(self.lot, "out")
        self.people = [self._person() for _ in range(3)]
        self.turned_away = 0
        self.visits: list[tuple[int, datetime, datetime]] = []

    @staticmethod
    def _person() -> Person:
        plate = "浙A" + "".join(secrets.choice("BCDEFGHJKLMNPQRSTUVWXYZ23456789") for _ in range(5))
        who = driver(read_plate(plate, "blue"))  # Hypothesis begins each evening with the same chance
        with transaction() as session:
            plate_id = session.scalars(select(Vehicle.plate_id).where(Vehicle.key == who.vehicle_key)).one()
        return Person(who, plate_id)

    booked = Bundle("booked")
    people_drawn = st.integers(0, 2)

    @rule(minutes=st.sampled_from([1, 5, 14, 16, 29, 31, 46, 90]), awake=st.booleans())
    def time_passes(self, minutes: int, *, awake: bool) -> None:
        """Workers may be awake or not: no promise depends on it."""
        self.go_on(minutes * MINUTE)
        if awake:
            self.sweep()

    def go_on(self, span: timedelta = DEED) -> None:
        """Each deed takes some time."""
        self.now += span
        self.time.move_to(self.now)

    @staticmethod
    def sweep() -> None:
        reservations.release_missed()
        reservations.follow_overstays()
        stays.release_unpassed()
        stays.project_forgotten()
        stays.settle_forgotten()

    @rule(target=booked, which=people_drawn, after=st.integers(0, 16), quarters=st.integers(1, 12))
    def reserve(self, which: int, after: int, quarters: int) -> Reservation | None:
        self.go_on()
        person, begins = self.people[which], self.now + after * 15 * MINUTE + ASIDE
        ends, before = begins + quarters * 15 * MINUTE, self.claims()
        try:
            made = reservations.reserve(person.who.id, person.who.vehicle_key, self.lot.key, begins, ends)
        except LotFull:
            assert not self.free_bays(before, begins, ends)
        except PlateBusy:
            assert any(each.plate_id == person.plate_id and overlaps(each, begins, ends) for each in before)
        except TooManyReservations:
            assert self.promised_to(person) >= AT_MOST
        except OutsideOpenHours:
            assert ends > self.began + 12 * HOUR
        else:
            assert self.free_bays(before, begins, ends)
            assert self.promised_to(person) <= AT_MOST
            return made
        return None

    def promised_to(self, person: Person) -> int:
        with transaction() as session:
            mine = select(BayClaim).join(Reservation, Reservation.claim_id == BayClaim.id)
            told = session.scalars(mine.where(Reservation.motorist_id == person.who.id)).all()
        return sum(each.state in {"held", "confirmed"} for each in told)

    @rule(made=consumes(booked))
    def cancel(self, made: Reservation | None) -> None:
        if made is None:
            return
        self.go_on()
        was = self.claim_of(made)
        try:
            given_up = reservations.cancel(made.motorist_id, made.key)
        except WrongState:
            assert was.state not in {"held", "confirmed"}
        else:
            assert was.state == "confirmed"
            assert given_up.in_time == (made.begins_at - self.now >= IN_TIME)

    @rule(made=booked, quarters=st.integers(1, 8))
    def stay_longer(self, made: Reservation | None, quarters: int) -> None:
        if made is None:
            return
        self.go_on()
        was, before = self.claim_of(made), self.claims()
        _, ends = bounds(was.during)
        longer = ends + quarters * 15 * MINUTE
        in_the_way = [each for each in before if each.id != was.id and overlaps(each, ends, longer)]
        try:
            reservations.extend(made.motorist_id, made.key, longer)
        except (StayTaken, PlateBusy):
            assert [each for each in in_the_way if each.bay_id == was.bay_id or each.plate_id == was.plate_id]
        except WrongState:
            assert was.state not in {"confirmed", "in_use"}
        except InThePast:
            assert longer <= self.now + MINUTE
        except OutsideOpenHours:
            assert longer > self.began + 12 * HOUR
        except NotLonger:
            assert was.state in OVER or was.state == "in_use"
        else:
            assert not [each for each in in_the_way if each.bay_id == was.bay_id]

    @rule(which=people_drawn, twice=st.booleans())
    def arrive(self, which: int, *, twice: bool) -> None:
        person = self.people[which]
        if person.came_at is not None:
            return
        self.go_on()
        expected, room = self.is_expected(person), self.free_bays(self.claims(), self.now, self.now + MINUTE)
        told = ask(self.way_in, person.who.plate)
        if told.decision != "open":
            assert not expected, "a promise within its window always opens"
            self.turned_away += 1
            return
        assert expected or room
        person.events.append(drive(self.way_in, person.who.plate, self.now))
        if twice:
            stays.project(person.events)
        if told.reason == "walk_in":
            stays.adopt(person.who.id, told.charge["code"])
        person.came_at, person.paid_until = self.now, None

    def is_expected(self, person: Person) -> bool:
        mine = [each for each in self.claims() if each.plate_id == person.plate_id and each.state == "confirmed"]
        return any(bounds(each.during)[0] - EARLY <= self.now < each.admit_until for each in mine)

    @rule(which=people_drawn)
    def pay(self, which: int) -> None:
        person = self.people[which]
        stay = self.stay_of(person)
        if stay is None or person.came_at is None:
            return
        self.go_on()
        owed = fee(person.came_at, self.now)
        due = owed - sum(bill.amount_fen for bill in self.paid_bills(stay))
        try:
            charge_key = stays.open_payment(person.who.id, stay.key)
        except stays.NothingToPay:
            assert due == 0 or self.is_in_grace(person)
            return
        paid(charge_key)
        for bill in bills_of(stay.id):
            if bill.charge_key == charge_key:
                stays.settle(bill.key)
        person.paid_until = self.now
        assert sum(bill.amount_fen for bill in self.paid_bills(stay)) == owed

    def is_in_grace(self, person: Person) -> bool:
        return person.paid_until is not None and self.now <= person.paid_until + GRACE

    def paid_bills(self, stay: Stay) -> list[Bill]:
        return [bill for bill in bills_of(stay.id) if bill.paid_at is not None]

    @rule(which=people_drawn, barrier_is_lifted=st.booleans())
    def leave(self, which: int, *, barrier_is_lifted: bool) -> None:
        person = self.people[which]
        if person.came_at is None:
            return
        self.go_on()
        stay = self.stay_of(person)
        assert stay is not None
        told = ask(self.way_out, person.who.plate)
        has_paid = sum(bill.amount_fen for bill in self.paid_bills(stay))
        owes = not self.is_in_grace(person) and fee(person.came_at, self.now) > has_paid
        assert (told.decision == "open") is not owes, told
        if told.decision != "open" and not barrier_is_lifted:
            return
        person.events.append(drive(self.way_out, person.who.plate, self.now))
        self.visits.append((stay.id, person.came_at, self.now))
        came_at, person.came_at = person.came_at, None
        self._check_what_was_billed(stay.id, person, came_at)

    def _check_what_was_billed(self, stay_id: int, person: Person, came_at: datetime) -> None:
        with transaction() as session:
            stay = session.get_one(Stay, stay_id)
        assert stay.exited_at == self.now
        until = person.paid_until if person.paid_until and self.is_in_grace(person) else self.now
        billed = sum(bill.amount_fen for bill in bills_of(stay_id) if bill.withdrawn_at is None)
        assert billed == fee(came_at, until)

    @rule(which=people_drawn)
    def hear_it_all_again(self, which: int) -> None:
        stays.project(self.people[which].events)

    @rule()
    def a_car_is_not_read(self) -> None:
        """A passage without a plate makes no stay, and no bill."""
        stays.project([gate_event(self.way_in, None, self.now)])

    def claims(self) -> list[BayClaim]:
        with transaction() as session:
            return list(session.scalars(select(BayClaim).join(Bay, Bay.id == BayClaim.bay_id).where(self._here())))

    def _here(self) -> ColumnElement[bool]:
        return Bay.lot_id == self.lot.id

    def claim_of(self, made: Reservation) -> BayClaim:
        with transaction():
            return claim_by_id(made.claim_id)

    def free_bays(self, claims: list[BayClaim], begins: datetime, ends: datetime) -> set[int]:
        with transaction() as session:
            bays = set(session.scalars(select(Bay.id).where(self._here())))
        return bays - {each.bay_id for each in claims if overlaps(each, begins, ends)}

    def stay_of(self, person: Person) -> Stay | None:
        with transaction() as session:
            return session.scalars(select(Stay).filter_by(plate_id=person.plate_id, state="parked")).one_or_none()

    @invariant()
    def no_bay_and_no_plate_is_promised_twice(self) -> None:
        live = [each for each in self.claims() if each.state in LIVE]
        for place, one in enumerate(live):
            for other in live[place + 1 :]:
                both = one.exclusive_plate and other.exclusive_plate and one.plate_id == other.plate_id
                alike = one.bay_id == other.bay_id or both
                assert not (alike and overlaps(other, *bounds(one.during)))

    @invariant()
    def who_is_inside_has_a_stay_and_a_bay_and_nobody_else_has(self) -> None:
        inside = {person.plate_id for person in self.people if person.came_at is not None}
        with transaction() as session:
            parked = session.scalars(select(Stay).filter_by(lot_id=self.lot.id, state="parked")).all()
        assert sorted(inside) == sorted(each.plate_id or 0 for each in parked)
        in_use = {each.plate_id for each in self.claims() if each.state == "in_use"}
        assert inside <= in_use | {each.plate_id for each in parked if each.claim_id is None}

    @invariant()
    def the_gate_should_hold_whom_it_must_let_in(self) -> None:
        _, rows = desired_list(self.way_in.id)
        for person in self.people:
            if person.came_at is None and self.is_expected(person):
                assert person.who.plate.characters in {row.plate for row in rows}

    @invariant()
    def each_refusal_is_written_down(self) -> None:
        with transaction() as session:
            told = session.scalars(select(TurnAway).filter_by(lot_id=self.lot.id)).all()
        assert len(told) == self.turned_away

    def teardown(self) -> None:
        if not hasattr(self, "people"):
            return
        for which, person in enumerate(self.people):
            if person.came_at is not None:
                self.leave(which, barrier_is_lifted=True)
        self.go_on(3 * 24 * HOUR)
        self.sweep()
        assert {each.state for each in self.claims()} <= OVER
        with transaction() as session:
            lived = session.scalars(select(Stay).filter_by(lot_id=self.lot.id).order_by(Stay.id)).all()
        assert [(each.id, each.entered_at, each.exited_at) for each in lived] == sorted(self.visits)


def overlaps(claim: BayClaim, begins: datetime, ends: datetime) -> bool:
    """Whether a live claim stands in the way of a span."""
    first, last = bounds(claim.during)
    return claim.state in LIVE and first < ends and begins < last


def fee(begins: datetime, ends: datetime) -> int:
    """3 yuan for each hour begun."""
    return math.ceil((ends - begins) / HOUR) * HOURLY_FEN
