"""Who somebody is now, and who there is."""

import re
import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from app.domain.staff.models import StaffAccount, StaffGrant
from app.domain.staff.policy import Role
from app.domain.staff.rules import Actor, Grant, Scope, ScopeKind, reach
from app.kernel.db import transaction
from app.kernel.refusals import NotFound


@dataclass(frozen=True)
class GrantView:
    """A grant that holds, by its public key."""

    key: uuid.UUID
    role: Role
    scope: Scope
    granted_at: datetime


@dataclass(frozen=True)
class AccountView:
    """An account with the grants that hold now."""

    id: int
    key: uuid.UUID
    login: str
    display_name: str
    opened_at: datetime
    closed_at: datetime | None
    grants: Sequence[GrantView]


def actor_of(account_id: int) -> Actor:
    """The person behind an open account, with the grants that hold at this moment. Refuses `NotFound`."""
    with transaction() as session:
        account = session.scalar(select(StaffAccount).filter_by(id=account_id, closed_at=None))
        if account is None:
            raise NotFound
        rows = session.scalars(
            select(StaffGrant).filter_by(account_id=account_id, ended_at=None).order_by(StaffGrant.id)
        ).all()
        grants = tuple(Grant(Role(row.role), _scope(row)) for row in rows)
        return Actor(account.id, account.display_name, grants)


def accounts(by: Actor, *, with_closed: bool = False) -> list[AccountView]:
    """Every account, oldest first; closed ones when asked for. Refuses `NotPermitted`."""
    with transaction() as session:
        reach(by, "staff.see_accounts")
        wanted = select(StaffAccount).order_by(StaffAccount.id)
        if not with_closed:
            wanted = wanted.where(StaffAccount.closed_at.is_(None))
        held = _grants_held()
        return [_view(account, held[account.id]) for account in session.scalars(wanted)]


def account_key(login: str) -> uuid.UUID:
    """The public key of an account, closed or not, by its login. Refuses `NotFound`."""
    with transaction() as session:
        key = session.scalar(select(StaffAccount.key).filter_by(login=login))
        if key is None:
            raise NotFound
        return key


def account_id(login: str) -> int:
    """The id of an account, closed or not, by its login. Refuses `NotFound`."""
    with transaction() as session:
        found = session.scalar(select(StaffAccount.id).filter_by(login=login))
        if found is None:
            raise NotFound
        return found


def people(labels: Iterable[str]) -> dict[str, str]:
    """Name and login of those whose labels (`staff:4`) these are; who has no account is left out."""
    numbers = [int(each.removeprefix("staff:")) for each in labels if re.fullmatch(r"staff:\d{1,18}", each)]
    with transaction() as session:
        rows = session.scalars(select(StaffAccount).where(StaffAccount.id.in_(numbers)))
        return {f"staff:{row.id}": f"{row.display_name}（{row.login}）" for row in rows}


def logins(account_ids: Sequence[int]) -> dict[int, str]:
    """The logins of these accounts by their ids, to name people in lists."""
    with transaction() as session:
        rows = session.execute(select(StaffAccount.id, StaffAccount.login).where(StaffAccount.id.in_(account_ids)))
        return {row.id: row.login for row in rows}


def _grants_held() -> defaultdict[int, list[GrantView]]:
    held: defaultdict[int, list[GrantView]] = defaultdict(list)
    with transaction() as session:
        for row in session.scalars(select(StaffGrant).filter_by(ended_at=None).order_by(StaffGrant.id)):
            held[row.account_id].append(GrantView(row.key, Role(row.role), _scope(row), row.granted_at))
    return held


def _view(row: StaffAccount, grants: Sequence[GrantView]) -> AccountView:
    return AccountView(row.id, row.key, row.login, row.display_name, row.opened_at, row.closed_at, tuple(grants))


def _scope(row: StaffGrant) -> Scope:
    return Scope(ScopeKind(row.scope), row.district_code, row.unit_id, row.operator_id)
