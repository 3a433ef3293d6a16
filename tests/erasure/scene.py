"""A motorist with everything by which a person can be found: openid, phone, plate, names, an address."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from app.domain.lots.models import Lot
from app.domain.motorists.models import Motorist
from app.domain.motorists.queries import openid_of
from app.domain.receipts.models import ReceiptMail
from app.domain.receipts.rules import MAIL
from app.domain.stays.actions import open_payment
from app.domain.stays.models import Stay
from app.kernel import clock
from app.kernel.crypto import blind_index, seal
from app.kernel.db import transaction
from app.kernel.ids import new_key
from payments.charges.models import Payment
from payments.charges.queries import charge, payments_of
from payments.receipts.actions import save_title
from tests.world import Driver, drive, driver, gate, paid, parked_stay

COMPANY = "91350100M000100Y43"


@dataclass(frozen=True)
class Person:
    """A motorist, and what tells who they are."""

    who: Driver
    stay: Stay
    payment: Payment
    openid: str
    phone: str
    name: str
    address: str

    @property
    def id(self) -> int:
        return self.who.id

    def words(self) -> list[str]:
        """What must lie nowhere, and the same in hex."""
        plate = self.who.plate
        told = [self.openid, self.phone, self.name, self.address, COMPANY, plate.characters, plate.characters[1:]]
        return told + [each.encode().hex() for each in told]

    def digests(self) -> list[str]:
        """By what a person is looked up, in hex."""
        plate = self.who.plate
        return [
            blind_index("motorist.openid", self.openid).hex(), blind_index("motorist.phone", self.phone).hex(),
            blind_index("plate.characters", plate.characters).hex(),
            blind_index("plate", f"{plate.colour}:{plate.characters}").hex(),
        ]  # fmt: skip


def somebody(lot: Lot, later: Callable[[int], None]) -> Person:
    """Who parked 40 minutes, paid, left, and waits for a mail."""
    who = driver()
    stay = parked_stay(who, gate(lot))
    later(40)
    key = open_payment(who.id, stay.key)
    paid(key)
    later(42)
    drive(gate(lot, "out"), who.plate)
    phone, name, address = f"+86138{secrets.randbelow(10**8):08}", f"示例姓名{secrets.token_hex(4)}", _address()
    save_title(who.id, name, None, usual=True)
    save_title(who.id, f"{name}公司", COMPANY, usual=False)
    with transaction() as session:
        motorist = session.get_one(Motorist, who.id)
        motorist.phone_bidx = blind_index("motorist.phone", phone)
        motorist.phone_enc = seal(phone, f"motorist.phone:{motorist.key}")
        _mail(who.id, address)
    return Person(who, stay, payments_of(charge(key).id)[0], openid_of(who.id), phone, name, address)


def _address() -> str:
    return f"sample-{secrets.token_hex(6)}@example.invalid"


def _mail(motorist_id: int, address: str) -> ReceiptMail:
    now, key = clock.now(), new_key()
    mail = ReceiptMail(
        key=key, motorist_id=motorist_id, address=seal(address, f"receipt_mail.address:{key}"), asked_at=now,
        give_up_at=now + timedelta(days=1), state="due", next_check_at=now + timedelta(hours=1),
    )  # fmt: skip
    with transaction() as session:
        session.add(mail)
        session.flush()
        MAIL.born(mail, "test")
        return mail
