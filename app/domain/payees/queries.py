"""Which payees lie within somebody's reach, and what finance people see of them."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from app.domain.staff.rules import Actor, Place, Scope, ScopeKind, permit, reach
from app.kernel import clock
from app.kernel.db import transaction
from payments.payees import queries as known
from payments.payees.models import ChannelReopening, MerchantChannel, Payee, PayeeConfirmation
from payments.payees.queries import channels, confirmations, payee_by_id, payee_by_key


@dataclass(frozen=True)
class PayeeView:
    """A payee as finance people see it: who vouches for it, and through which sub-merchants it is paid."""

    payee: Payee
    confirmations: Sequence[PayeeConfirmation]
    channels: Sequence[MerchantChannel]
    sub_mchid: str | None
    """The sub-merchant that takes new orders at this moment."""


def place_of_payee(payee_id: int) -> Place:
    """Where a payee lies: in its district, if it has one, else it is the city's."""
    return Place(payee_by_id(payee_id).district_code)


def payees_within(scopes: Sequence[Scope]) -> Collection[int] | None:
    """Ids of the payees that lie within these scopes; None: all of them."""
    if any(scope.kind is ScopeKind.CITY for scope in scopes):
        return None
    codes = {scope.district_code for scope in scopes if scope.kind is ScopeKind.DISTRICT}
    with transaction() as session:
        return session.scalars(select(Payee.id).where(Payee.district_code.in_(codes))).all()


def payees(by: Actor) -> Sequence[PayeeView]:
    """Payees within one's reach, in the order in which they were opened. Refuses `NotPermitted`."""
    within = payees_within(reach(by, "payees.see"))
    wanted = select(Payee).order_by(Payee.id)
    if within is not None:
        wanted = wanted.where(Payee.id.in_(within))
    with transaction() as session:
        return _seen(session.scalars(wanted).all())


def one_payee(by: Actor, key: uuid.UUID) -> PayeeView:
    """A payee with all that was said of it. Refuses `NoSuchPayee`."""
    with transaction():
        payee = payee_by_key(key)
        permit(by, "payees.see", place_of_payee(payee.id))
        [seen] = _seen([payee])
        return seen


def reopenings(by: Actor, *, state: str | None = None) -> Sequence[tuple[ChannelReopening, MerchantChannel]]:
    """Requests to reopen sub-merchants within one's reach, the newest first. Refuses `NotPermitted`."""
    return known.reopenings(payees=payees_within(reach(by, "payees.see")), state=state)


def _seen(found: Sequence[Payee]) -> Sequence[PayeeView]:
    said, paid_through = defaultdict(list), defaultdict(list)
    ids = [each.id for each in found]
    for word in confirmations(ids):
        said[word.payee_id].append(word)
    for channel in channels(ids):
        paid_through[channel.payee_id].append(channel)
    return [PayeeView(each, said[each.id], paid_through[each.id], _taking(paid_through[each.id])) for each in found]


def _taking(found: Sequence[MerchantChannel]) -> str | None:
    now = clock.now()
    return next((each.sub_mchid for each in found if any(now in time for time in each.valid or ())), None)
