"""What people do with accounts and roles, and the only writers of the room's tables; one file per noun."""

from app.domain.staff.actions.accounts import (
    CityFounded,
    LoginTaken,
    close_account,
    found_administrator,
    open_account,
    reset_password,
)
from app.domain.staff.actions.grants import (
    GrantHeld,
    LastAdministrator,
    NoSuchPlace,
    NotToOneself,
    ScopeDoesNotFit,
    end_grant,
    grant,
)
from app.domain.staff.actions.presence import PasswordIsNotOwn, SignInRefused, change_password, sign_in

__all__ = [
    "CityFounded",
    "GrantHeld",
    "LastAdministrator",
    "LoginTaken",
    "NoSuchPlace",
    "NotToOneself",
    "PasswordIsNotOwn",
    "ScopeDoesNotFit",
    "SignInRefused",
    "change_password",
    "close_account",
    "end_grant",
    "found_administrator",
    "grant",
    "open_account",
    "reset_password",
    "sign_in",
]
