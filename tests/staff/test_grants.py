"""Roles in scopes: given by somebody else, held once, ended and kept."""

import uuid

import psycopg
import pytest
from psycopg.errors import CheckViolation, IntegrityConstraintViolation

from app.domain.staff import actions
from app.domain.staff.policy import Role
from app.domain.staff.queries import account_key, accounts, actor_of
from app.domain.staff.rules import CITY, Actor, Place, Scope, ScopeKind, permit, reach
from app.kernel.refusals import NotFound
from tests.ground import Addresses
from tests.world import open_lot, staff

WHOLE_CITY = Scope(ScopeKind.CITY)
XIHU = Scope(ScopeKind.DISTRICT, district_code="330106")


@pytest.fixture
def administrator(database: Addresses) -> Actor:
    return staff("administrator", login="lin")


@pytest.fixture
def wang(administrator: Actor) -> uuid.UUID:
    """The key of somebody who may nothing yet."""
    return actions.open_account(administrator, "wang", "示例王", "ein langer Satz, den keiner errät").key


def grants_of(login: str, by: Actor) -> list[tuple[str, str]]:
    view = next(account for account in accounts(by) if account.login == login)
    return [(grant.role, grant.scope.kind) for grant in view.grants]


def test_a_role_holds_within_its_scope_and_nowhere_else(administrator: Actor, wang: uuid.UUID) -> None:
    given = actions.grant(administrator, wang, Role.REGULATOR, XIHU)
    who = actor_of(given.account_id)
    permit(who, "units.find", Place("330106", 7))
    assert reach(who, "tasks.see") == (XIHU,)
    for elsewhere in (CITY, Place("330108", 7)):
        with pytest.raises(NotFound):
            permit(who, "units.find", elsewhere)


def test_a_role_is_held_once_in_a_scope_and_may_be_given_again_after_it_ended(
    administrator: Actor, wang: uuid.UUID
) -> None:
    given = actions.grant(administrator, wang, Role.REGULATOR, XIHU)
    with pytest.raises(actions.GrantHeld):
        actions.grant(administrator, wang, Role.REGULATOR, XIHU)
    actions.end_grant(administrator, given.key)
    actions.end_grant(administrator, given.key)
    assert grants_of("wang", administrator) == []
    actions.grant(administrator, wang, Role.REGULATOR, XIHU)
    assert grants_of("wang", administrator) == [("regulator", "district")]


def test_nobody_grants_himself(administrator: Actor) -> None:
    with pytest.raises(actions.NotToOneself):
        actions.grant(administrator, account_key("lin"), Role.FINANCE_CHECKER, WHOLE_CITY)


def test_nobody_ends_his_own_grant(administrator: Actor) -> None:
    own = next(account for account in accounts(administrator) if account.login == "lin").grants[0]
    with pytest.raises(actions.NotToOneself):
        actions.end_grant(administrator, own.key)


@pytest.mark.parametrize(
    ("role", "scope"),
    [
        (Role.UNIT, WHOLE_CITY),
        (Role.OPERATOR, XIHU),
        (Role.ADMINISTRATOR, XIHU),
        (Role.REGULATOR, Scope(ScopeKind.DISTRICT)),
        (Role.REGULATOR, Scope(ScopeKind.CITY, district_code="330106")),
    ],
)
def test_a_role_in_a_scope_that_does_not_fit_is_refused(
    administrator: Actor, wang: uuid.UUID, role: Role, scope: Scope
) -> None:
    with pytest.raises(actions.ScopeDoesNotFit):
        actions.grant(administrator, wang, role, scope)


@pytest.mark.parametrize(
    ("role", "scope"),
    [
        (Role.REGULATOR, Scope(ScopeKind.DISTRICT, district_code="330199")),
        (Role.UNIT, Scope(ScopeKind.UNIT, unit_id=2**40)),
        (Role.OPERATOR, Scope(ScopeKind.OPERATOR, operator_id=2**40)),
    ],
)
def test_a_scope_of_nowhere_is_refused(administrator: Actor, wang: uuid.UUID, role: Role, scope: Scope) -> None:
    with pytest.raises(actions.NoSuchPlace):
        actions.grant(administrator, wang, role, scope)


def test_somebody_unknown_or_gone_is_granted_nothing(administrator: Actor, wang: uuid.UUID) -> None:
    actions.close_account(administrator, wang)
    for key in (wang, uuid.uuid4()):
        with pytest.raises(NotFound):
            actions.grant(administrator, key, Role.REGULATOR, WHOLE_CITY)
    with pytest.raises(NotFound):
        actions.end_grant(administrator, uuid.uuid4())


def test_people_of_a_unit_reach_their_unit(database: Addresses) -> None:
    unit_id = open_lot().unit_id
    who = staff("unit", unit_id=unit_id)
    permit(who, "lots.plan", Place("330106", unit_id))
    with pytest.raises(NotFound):
        permit(who, "lots.plan", Place("330106", unit_id + 1))


A_GRANT = """
INSERT INTO staff_grant (key, account_id, role, scope, granted_by, granted_at, is_first)
SELECT gen_random_uuid(), id, %s, 'city', %s, now(), false FROM staff_account WHERE login = 'wang'
"""


@pytest.mark.usefixtures("wang")
@pytest.mark.parametrize("role", ["unit", "operator"])
def test_the_database_refuses_a_role_beyond_its_scope(
    administrator: Actor, admin: psycopg.Connection[tuple[object, ...]], role: str
) -> None:
    with pytest.raises(CheckViolation):
        admin.execute(A_GRANT, [role, administrator.account_id])


def test_the_database_gives_nothing_to_a_closed_account(
    administrator: Actor, wang: uuid.UUID, admin: psycopg.Connection[tuple[object, ...]]
) -> None:
    actions.close_account(administrator, wang)
    with pytest.raises(IntegrityConstraintViolation) as refusal:
        admin.execute(A_GRANT, ["regulator", administrator.account_id])
    assert refusal.value.diag.constraint_name == "a_grant_is_for_an_open_account"


def test_an_ended_grant_stays_ended(
    administrator: Actor, wang: uuid.UUID, admin: psycopg.Connection[tuple[object, ...]]
) -> None:
    actions.end_grant(administrator, actions.grant(administrator, wang, Role.REGULATOR, XIHU).key)
    with pytest.raises(IntegrityConstraintViolation) as refusal:
        admin.execute("UPDATE staff_grant SET ended_at = NULL, ended_by = NULL WHERE ended_at IS NOT NULL")
    assert refusal.value.diag.constraint_name == "an_ended_grant_stays_ended"


def test_the_last_administrators_grant_cannot_end(
    administrator: Actor, admin: psycopg.Connection[tuple[object, ...]]
) -> None:
    with pytest.raises(IntegrityConstraintViolation) as refusal:
        admin.execute("UPDATE staff_grant SET ended_at = now(), ended_by = %s", [administrator.account_id])
    assert refusal.value.diag.constraint_name == "the_city_keeps_an_administrator"
