"""What a motorist does on the phone and what the gate does with the car never wait for each other in a circle."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Event

from flask import Flask

from app.domain.reservations.actions import cancel
from app.domain.reservations.actions.locks import lock_motorist
from app.domain.stays.queries import current_for
from app.kernel.db import transaction
from app.kernel.states import WrongState
from tests.world import drive, driver, gate, open_lot, reservation_ready_to_cancel


def test_a_car_drives_in_while_its_motorist_is_busy_on_the_phone(
    app: Flask, evening: datetime, at: Callable[[datetime], None]
) -> None:
    who, lot = driver(), open_lot()
    made = reservation_ready_to_cancel(who, lot)
    entrance = gate(lot)
    at(made.begins_at)
    holding, done = Event(), Event()

    def busy() -> None:
        with app.app_context(), transaction():
            lock_motorist(who.id)
            holding.set()
            assert done.wait(20)

    with ThreadPoolExecutor(1) as pool:
        phone = pool.submit(busy)
        assert holding.wait(20)
        drive(entrance, who.plate)
        done.set()
        phone.result()
    assert current_for(who.id) is not None


def test_cancelling_and_driving_in_at_once_ends_in_one_of_both(
    app: Flask, evening: datetime, at: Callable[[datetime], None]
) -> None:
    lot = open_lot(bays=4)
    entrance = gate(lot)
    cars = [driver() for _ in range(4)]
    made = [reservation_ready_to_cancel(who, lot) for who in cars]
    at(made[0].begins_at)

    def cancels(index: int) -> str:
        with app.app_context():
            try:
                cancel(cars[index].id, made[index].key)
            except WrongState:
                return "too late"
            return "cancelled"

    def drives(index: int) -> str:
        with app.app_context():
            drive(entrance, cars[index].plate)
            return "inside"

    with ThreadPoolExecutor(8) as pool:
        calls = [pool.submit(deed, index) for index in range(4) for deed in (cancels, drives)]
        outcomes = [call.result(30) for call in calls]
    assert outcomes[1::2] == ["inside"] * 4
