"""Roles, the places in which they hold, and the one question that every staff action asks: may this person do this?"""

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from app.domain.staff.policy import POLICY, Role
from app.kernel.refusals import Invalid, NotAllowed, NotFound


class ScopeKind(StrEnum):
    """How far a role reaches."""

    CITY = "city"
    DISTRICT = "district"
    UNIT = "unit"
    OPERATOR = "operator"


@dataclass(frozen=True)
class Place:
    """Where a thing lies: its district, its unit, the operators who run it. Nothing named: it is the city's own."""

    district_code: str | None = None
    unit_id: int | None = None
    operator_ids: frozenset[int] = frozenset()


CITY = Place()
"""Things that belong to the whole city: calendars, policies, accounts."""


@dataclass(frozen=True)
class Scope:
    """Where a role holds: the city, one district by its code, one unit or one operator by its id."""

    kind: ScopeKind
    district_code: str | None = None
    unit_id: int | None = None
    operator_id: int | None = None

    def covers(self, place: Place) -> bool:
        """Whether a thing that lies at `place` is within this scope."""
        return {
            ScopeKind.CITY: True,
            ScopeKind.DISTRICT: self.district_code is not None and self.district_code == place.district_code,
            ScopeKind.UNIT: self.unit_id is not None and self.unit_id == place.unit_id,
            ScopeKind.OPERATOR: self.operator_id is not None and self.operator_id in place.operator_ids,
        }[self.kind]


@dataclass(frozen=True)
class Grant:
    """One role in one scope."""

    role: Role
    scope: Scope


@dataclass(frozen=True)
class Actor:
    """A member of staff who is acting now, with the grants that hold at this moment."""

    account_id: int
    name: str
    grants: tuple[Grant, ...]

    @property
    def label(self) -> str:
        """How audit entries and state events name this person."""
        return f"staff:{self.account_id}"

    def oversees(self, place: Place) -> bool:
        """Whether this person is a regulator there, and does not act for the unit or its operator."""
        return any(grant.role is Role.REGULATOR and grant.scope.covers(place) for grant in self.grants)


class NotPermitted(NotAllowed):
    """None of this person's roles may do this anywhere."""

    code = "not_permitted"
    message = "您没有执行此操作的权限"


def permit(by: Actor, action: str, place: Place) -> None:
    """Let the action go on if a grant of this person allows it at the place.

    Refuses `NotPermitted` when no role of theirs may do such a thing anywhere, and `NotFound` when one may, but not
    here: what lies outside a person's scope is simply not found.
    """
    able = [grant for grant in by.grants if grant.role in POLICY[action]]
    if not able:
        raise NotPermitted(action=action)
    if not any(grant.scope.covers(place) for grant in able):
        raise NotFound


def reach(by: Actor, action: str) -> tuple[Scope, ...]:
    """The scopes within which this person may do this; lists are filtered by them. Refuses `NotPermitted`."""
    scopes = scopes_of(by, action)
    if not scopes:
        raise NotPermitted(action=action)
    return scopes


def scopes_of(by: Actor, action: str) -> tuple[Scope, ...]:
    """The scopes within which this person may do this, if any: what a list shows of them beyond what all may see."""
    return tuple(grant.scope for grant in by.grants if grant.role in POLICY[action])


class NotALogin(Invalid):
    """A login has 2 to 40 small Latin letters, digits, dots, dashes or underscores and begins with a letter."""

    code = "not_a_login"
    message = "登录名须为2至40位小写字母、数字、点、横线或下划线，并以字母开头；姓名不能为空"


def check_login(login: str, display_name: str) -> None:
    """Refuse `NotALogin` unless the login can be typed anywhere and somebody's name stands beside it."""
    if not re.fullmatch(r"[a-z][a-z0-9._-]{1,39}", login) or not display_name.strip():
        raise NotALogin(login=login)


FREE_ATTEMPTS: Final = 5
LONGEST_WAIT: Final = timedelta(minutes=15)


def wait_after(failed: int) -> timedelta:
    """How long nobody may try after so many failures in a row."""
    if failed < FREE_ATTEMPTS:
        return timedelta()
    return min(timedelta(seconds=2 ** min(failed - FREE_ATTEMPTS + 1, 20)), LONGEST_WAIT)
