"""Staff in their roles; who appoints them is appointed once for all tests."""

import secrets

from app.domain.staff.models import StaffAccount, StaffGrant
from app.domain.staff.policy import Role
from app.domain.staff.queries import actor_of
from app.domain.staff.rules import Actor, ScopeKind
from app.kernel import clock
from app.kernel.db import current, transaction
from tests import moulds
from tests.world.city import know_districts

PASSWORD = "staple battery horse"
PASSWORD_HASH = "$argon2id$v=19$m=19456,t=2,p=1$nnJMTvEE8LNI7tYvZZydWQ$C06CMjjIgMNA1TBvy2aXJU3MsvTSaPgNsohW161i3hk"
"""Computed once: a test that needs many people waits for no hash."""


def staff(
    role: str, scope: str | None = None, *, unit_id: int | None = None, operator_id: int | None = None,
    district_code: str | None = None, login: str | None = None,
) -> Actor:  # fmt: skip
    """A person with an account, whose password is `PASSWORD`, and one role; of the city unless a place is named."""
    know_districts()
    granted_by = founder()
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


def founder() -> int:
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
