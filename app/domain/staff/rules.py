"""Roles, the places in which they hold, and the one question that every staff action asks: may this person do this?"""

from dataclasses import dataclass
from enum import StrEnum

from app.domain.staff.policy import POLICY, Role
from app.kernel.refusals import NotAllowed, NotFound


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
    scopes = tuple(grant.scope for grant in by.grants if grant.role in POLICY[action])
    if not scopes:
        raise NotPermitted(action=action)
    return scopes
