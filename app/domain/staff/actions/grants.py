"""Giving a role in a scope, and taking it back."""

import uuid

from sqlalchemy import select

from app.domain.staff.models import StaffAccount, StaffGrant
from app.domain.staff.policy import Role
from app.domain.staff.rules import CITY, Actor, Scope, permit
from app.kernel import audit, clock
from app.kernel.db import current, refusing, transaction
from app.kernel.refusals import Conflict, Invalid, NotAllowed, NotFound, Refusal


class NotToOneself(NotAllowed):
    """What gives or takes power is done by somebody else."""

    code = "not_to_oneself"
    message = "不能对自己的账号进行此操作"


class GrantHeld(Conflict):
    """The person holds this role in this scope already."""

    code = "grant_held"
    message = "该账号已有此授权"


class ScopeDoesNotFit(Invalid):
    """A unit's people act for one unit, an operator's for one operator, an administrator for the city."""

    code = "scope_does_not_fit"
    message = "该角色不能用于此范围，或范围未指明区县、单位或运营单位"


class NoSuchPlace(Invalid):
    """There is no such district, unit or operator."""

    code = "no_such_place"
    message = "没有此区县、单位或运营单位"


class LastAdministrator(Conflict):
    """Somebody must be left who can open accounts."""

    code = "last_administrator"
    message = "至少须保留一名管理员"


def grant(by: Actor, account_key: uuid.UUID, role: Role, scope: Scope) -> StaffGrant:
    """Let a person do what a role does, within a scope.

    Refuses `NotToOneself`, `GrantHeld`, `ScopeDoesNotFit` and `NoSuchPlace`.
    """
    with transaction() as session:
        permit(by, "staff.grant", CITY)
        account_id = session.scalar(select(StaffAccount.id).filter_by(key=account_key, closed_at=None))
        if account_id is None:
            raise NotFound
        given = _given(by, account_id, role, scope)
        told = {"account_id": account_id, "role": str(role), "scope": str(scope.kind)}
        audit.record("staff.grant", "staff_grant", given.id, by.label, told)
        return given


def end_grant(by: Actor, grant_key: uuid.UUID) -> None:
    """Take a role back; it stays on record. Ending an ended one changes nothing.

    Refuses `NotToOneself`: who leaves an office is relieved by another; and `LastAdministrator`.
    """
    with transaction():
        permit(by, "staff.end_grant", CITY)
        given = current().scalar(select(StaffGrant).filter_by(key=grant_key).with_for_update())
        if given is None:
            raise NotFound
        if given.account_id == by.account_id:
            raise NotToOneself
        if given.ended_at is None:
            _end(given, by)


_REFUSED_BY: dict[str, type[Refusal]] = {
    "nobody_grants_himself": NotToOneself,
    "a_role_is_held_once_in_a_scope": GrantHeld,
    "a_grant_is_for_an_open_account": NotFound,
    "a_scope_names_its_place_and_no_other": ScopeDoesNotFit,
    "a_units_people_act_for_one_unit": ScopeDoesNotFit,
    "an_operators_people_act_for_one_operator": ScopeDoesNotFit,
    "an_administrator_serves_the_city": ScopeDoesNotFit,
    "fk_staff_grant_district_code": NoSuchPlace,
    "fk_staff_grant_unit_id": NoSuchPlace,
    "fk_staff_grant_operator_id": NoSuchPlace,
    "the_city_keeps_an_administrator": LastAdministrator,
}


def _given(by: Actor, account_id: int, role: Role, scope: Scope) -> StaffGrant:
    given = StaffGrant(
        account_id=account_id, role=role, scope=scope.kind, district_code=scope.district_code, unit_id=scope.unit_id,
        operator_id=scope.operator_id, granted_by=by.account_id, granted_at=clock.now(),
    )  # fmt: skip
    with refusing(_REFUSED_BY) as session:
        session.add(given)
    return given


def _end(given: StaffGrant, by: Actor) -> None:
    with refusing(_REFUSED_BY):
        given.ended_by, given.ended_at = by.account_id, clock.now()
    audit.record("staff.end_grant", "staff_grant", given.id, by.label, {"account_id": given.account_id})
