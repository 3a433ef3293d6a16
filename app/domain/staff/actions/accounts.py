"""Opening and closing accounts; the first one opens itself."""

import uuid

from sqlalchemy import select, update

from app.domain.staff.actions.grants import LastAdministrator, NotToOneself
from app.domain.staff.models import StaffAccount, StaffGrant
from app.domain.staff.passwords import check_password, hashed
from app.domain.staff.policy import Role
from app.domain.staff.rules import CITY, Actor, ScopeKind, check_login, permit
from app.kernel import audit, clock
from app.kernel.db import current, refusing, transaction
from app.kernel.refusals import Conflict, NotFound


class CityFounded(Conflict):
    """There has been a first administrator; further ones are granted by those who are."""

    code = "city_founded"
    message = "已有管理员，请由现有管理员开设账号"


class LoginTaken(Conflict):
    """The login belongs to an account, open or closed."""

    code = "login_taken"
    message = "该登录名已被使用"


def found_administrator(login: str, display_name: str, password: str) -> StaffAccount:
    """Open the first account of the city and let it grant itself the administrator's role; works once, ever.

    Refuses `CityFounded`, a login or name that cannot be one, and `PasswordTooWeak`.
    """
    with transaction() as session:
        if session.scalar(select(StaffGrant.id).where(StaffGrant.is_first)) is not None:
            raise CityFounded
        account = _opened(login, display_name, password, opened_by=None)
        _found(account)
        audit.record("staff.found_administrator", "staff_account", account.id, f"staff:{account.id}")
        return account


def open_account(by: Actor, login: str, display_name: str, password: str) -> StaffAccount:
    """Open an account for one person, who must choose another password before anything else.

    Refuses `LoginTaken`, a login or name that cannot be one, and `PasswordTooWeak`.
    """
    with transaction():
        permit(by, "staff.open_account", CITY)
        account = _opened(login, display_name, password, opened_by=by.account_id)
        audit.record("staff.open_account", "staff_account", account.id, by.label)
        return account


def close_account(by: Actor, account_key: uuid.UUID) -> None:
    """Let a person who left do nothing any more: their grants end, and the account is never opened again.

    Closing a closed one changes nothing. Refuses `NotToOneself`, and `LastAdministrator`.
    """
    with transaction():
        permit(by, "staff.close_account", CITY)
        account = _locked(account_key)
        if account.id == by.account_id:
            raise NotToOneself
        if account.closed_at is None:
            _close(account, by)


def reset_password(by: Actor, account_key: uuid.UUID, password: str) -> None:
    """Give a person who forgot theirs a password that is good for choosing the next one. Refuses `PasswordTooWeak`."""
    with transaction():
        permit(by, "staff.reset_password", CITY)
        account = _locked(account_key)
        if account.closed_at is not None:
            raise NotFound
        check_password(account.login, password)
        account.password_hash, account.password_is_own = hashed(password), account.id == by.account_id
        account.failed_sign_ins, account.next_sign_in_at = 0, None
        audit.record("staff.reset_password", "staff_account", account.id, by.label)


def _opened(login: str, display_name: str, password: str, opened_by: int | None) -> StaffAccount:
    check_login(login, display_name)
    check_password(login, password)
    account = StaffAccount(
        login=login, display_name=display_name, password_hash=hashed(password), password_is_own=opened_by is None,
        opened_by=opened_by, opened_at=clock.now(),
    )  # fmt: skip
    with refusing({"uq_staff_account_login": LoginTaken}) as session:
        session.add(account)
    return account


def _found(account: StaffAccount) -> None:
    """The index on the first administrator refuses the second, also of two who found at once."""
    first = StaffGrant(
        account_id=account.id, role=Role.ADMINISTRATOR, scope=ScopeKind.CITY, granted_by=account.id,
        granted_at=clock.now(), is_first=True,
    )  # fmt: skip
    with refusing({"there_is_one_first_administrator": CityFounded}) as session:
        session.add(first)


def _locked(account_key: uuid.UUID) -> StaffAccount:
    account = current().scalar(select(StaffAccount).filter_by(key=account_key).with_for_update(key_share=True))
    if account is None:
        raise NotFound
    return account


def _close(account: StaffAccount, by: Actor) -> None:
    now = clock.now()
    live = update(StaffGrant).where(StaffGrant.account_id == account.id, StaffGrant.ended_at.is_(None))
    with refusing({"the_city_keeps_an_administrator": LastAdministrator}) as session:
        session.execute(live.values(ended_by=by.account_id, ended_at=now))
        account.closed_by, account.closed_at = by.account_id, now
    audit.record("staff.close_account", "staff_account", account.id, by.label)
