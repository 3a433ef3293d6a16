"""Who is there: login and password, each attempt paid for before it is looked at."""

from sqlalchemy import select

from app.domain.staff.models import StaffAccount
from app.domain.staff.passwords import check_password, fits, hashed, is_dated
from app.domain.staff.queries import actor_of
from app.domain.staff.rules import Actor, wait_after
from app.kernel import audit, clock
from app.kernel.db import transaction
from app.kernel.refusals import NotAllowed, Unauthenticated


class SignInRefused(Unauthenticated):
    """Wrong login, wrong password, or too soon after wrong ones: nobody is told which."""

    code = "sign_in_refused"
    message = "账号或密码不正确，或尝试过于频繁，请稍后再试"


class PasswordIsNotOwn(NotAllowed):
    """Somebody else chose the password; it is good for choosing another and nothing more."""

    code = "password_is_not_own"
    message = "请先修改初始密码"


def sign_in(login: str, password: str) -> Actor:
    """The person with this login and password, and the grants that hold now; hashes anew what rests at an old cost.

    From the sixth wrong password on each attempt is looked at only after a wait that doubles, up to 15 minutes.
    Refuses `SignInRefused`, and `PasswordIsNotOwn` after the first sign-in with a password that was handed out.
    """
    account = _proven(login, password)
    if not account.password_is_own:
        raise PasswordIsNotOwn
    return actor_of(account.id)


def change_password(login: str, password: str, new_password: str) -> None:
    """Choose another password, knowing the present one. Refuses `SignInRefused` and `PasswordTooWeak`."""
    account = _proven(login, password)
    check_password(login, new_password)
    kept = hashed(new_password)
    with transaction() as session:
        locked = session.get_one(StaffAccount, account.id, with_for_update={"key_share": True})
        if locked.password_hash != account.password_hash:
            raise SignInRefused
        locked.password_hash, locked.password_is_own = kept, True
        audit.record("staff.change_password", "staff_account", account.id, f"staff:{account.id}")


def _proven(login: str, password: str) -> StaffAccount:
    """Between two transactions, so that no row is locked while the hash is computed."""
    account = _charge_attempt(login)
    if not fits(password, account.password_hash if account else None) or account is None:
        raise SignInRefused
    return _welcome(account, password)


def _charge_attempt(login: str) -> StaffAccount | None:
    """Count an attempt as failed before it is looked at: guesses sent at once are counted all the same."""
    with transaction() as session:
        account = session.scalar(
            select(StaffAccount).filter_by(login=login, closed_at=None).with_for_update(key_share=True)
        )
        now = clock.now()
        if account is None or (account.next_sign_in_at is not None and now < account.next_sign_in_at):
            return None
        account.failed_sign_ins += 1
        account.next_sign_in_at = now + wait_after(account.failed_sign_ins)
        return account


def _welcome(known: StaffAccount, password: str) -> StaffAccount:
    """Forget the failures; whoever was closed or got another password meanwhile is not welcome."""
    anew = hashed(password) if is_dated(known.password_hash) else known.password_hash
    with transaction() as session:
        account = session.get_one(StaffAccount, known.id, with_for_update={"key_share": True})
        if account.closed_at is not None or account.password_hash != known.password_hash:
            raise SignInRefused
        account.password_hash, account.failed_sign_ins, account.next_sign_in_at = anew, 0, None
        return account
