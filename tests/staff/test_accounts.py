"""Opening, founding and closing accounts."""

import uuid

import psycopg
import pytest
from flask import Flask
from psycopg.errors import IntegrityConstraintViolation

from app.domain.staff import actions
from app.domain.staff.models import StaffAccount
from app.domain.staff.passwords import PasswordTooWeak
from app.domain.staff.queries import account_key, accounts, actor_of
from app.domain.staff.rules import Actor, NotALogin, NotPermitted
from app.kernel.db import transaction
from app.kernel.refusals import NotFound
from tests.ground import Addresses
from tests.races import at_once
from tests.world import PASSWORD, staff

GOOD = "ein langer Satz, den keiner errät"


@pytest.fixture
def administrator(database: Addresses) -> Actor:
    return staff("administrator")


def key_of(who: Actor) -> uuid.UUID:
    with transaction() as session:
        return session.get_one(StaffAccount, who.account_id).key


def test_the_first_administrator_founds_the_city_and_is_the_only_one_to_grant_himself(database: Addresses) -> None:
    founder = actions.found_administrator("lin", "示例林", GOOD)
    who = actions.sign_in("lin", GOOD)
    assert who.account_id == founder.id
    assert [(grant.role, grant.scope.kind) for grant in who.grants] == [("administrator", "city")]


def test_a_second_first_administrator_is_refused_and_leaves_nothing_behind(database: Addresses) -> None:
    actions.found_administrator("lin", "示例林", GOOD)
    with pytest.raises(actions.CityFounded):
        actions.found_administrator("zhao", "示例赵", GOOD)
    with pytest.raises(NotFound):
        account_key("zhao")


def test_of_two_who_found_at_once_one_does(app: Flask, database: Addresses) -> None:
    told = at_once(
        app,
        lambda: actions.found_administrator("lin", "示例林", GOOD),
        lambda: actions.found_administrator("zhao", "示例赵", GOOD),
    )
    assert told == ["CityFounded", "done"]


def test_the_database_keeps_one_founder_though_the_program_should_try(
    database: Addresses, admin: psycopg.Connection[tuple[object, ...]]
) -> None:
    somebody = staff("regulator")
    again = """
    INSERT INTO staff_grant (key, account_id, role, scope, granted_by, granted_at, is_first)
    VALUES (gen_random_uuid(), %s, 'administrator', 'city', %s, now(), true)
    """
    with pytest.raises(psycopg.errors.UniqueViolation) as refusal:
        admin.execute(again, [somebody.account_id, somebody.account_id])
    assert refusal.value.diag.constraint_name == "there_is_one_first_administrator"


def test_an_account_is_opened_with_a_password_that_must_be_changed_first(administrator: Actor) -> None:
    actions.open_account(administrator, "wang.min", "示例王", GOOD)
    with pytest.raises(actions.PasswordIsNotOwn):
        actions.sign_in("wang.min", GOOD)
    actions.change_password("wang.min", GOOD, GOOD + "!")
    assert actions.sign_in("wang.min", GOOD + "!").name == "示例王"


def test_a_login_is_taken_once_and_for_all(administrator: Actor) -> None:
    account = actions.open_account(administrator, "wang", "示例王", GOOD)
    actions.close_account(administrator, account.key)
    with pytest.raises(actions.LoginTaken):
        actions.open_account(administrator, "wang", "示例另一王", GOOD)


@pytest.mark.parametrize("login", ["", "w", "Wang", "王敏", "-wang", "wang min", "w" * 41])
def test_a_login_that_not_everybody_can_type_is_refused(administrator: Actor, login: str) -> None:
    with pytest.raises(NotALogin):
        actions.open_account(administrator, login, "示例王", GOOD)


def test_an_account_without_a_name_is_refused(administrator: Actor) -> None:
    with pytest.raises(NotALogin):
        actions.open_account(administrator, "wang", " ", GOOD)


def test_a_weak_password_opens_no_account(administrator: Actor) -> None:
    with pytest.raises(PasswordTooWeak):
        actions.open_account(administrator, "wang", "示例王", "kurz")
    with pytest.raises(NotFound):
        account_key("wang")


def test_only_administrators_open_close_reset_and_see_accounts(database: Addresses) -> None:
    regulator, other = staff("regulator"), staff("regulator")
    for attempt in (
        lambda: actions.open_account(regulator, "wang", "示例王", GOOD),
        lambda: actions.close_account(regulator, key_of(other)),
        lambda: actions.reset_password(regulator, key_of(other), GOOD),
        lambda: accounts(regulator),
    ):
        with pytest.raises(NotPermitted):
            attempt()


def test_who_left_has_no_grants_and_cannot_sign_in(administrator: Actor) -> None:
    leaver = staff("regulator", login="leaver")
    actions.close_account(administrator, account_key("leaver"))
    actions.close_account(administrator, account_key("leaver"))
    with pytest.raises(actions.SignInRefused):
        actions.sign_in("leaver", PASSWORD)
    with pytest.raises(NotFound):
        actor_of(leaver.account_id)
    seen = {account.login: account for account in accounts(administrator, with_closed=True)}
    assert seen["leaver"].grants == ()
    assert "leaver" not in {account.login for account in accounts(administrator)}


def test_nobody_closes_his_own_account(administrator: Actor) -> None:
    with pytest.raises(actions.NotToOneself):
        actions.close_account(administrator, key_of(administrator))


def test_a_closed_account_is_never_opened_again(
    administrator: Actor, admin: psycopg.Connection[tuple[object, ...]]
) -> None:
    staff("regulator", login="leaver")
    actions.close_account(administrator, account_key("leaver"))
    with pytest.raises(IntegrityConstraintViolation) as refusal:
        admin.execute("UPDATE staff_account SET closed_at = NULL, closed_by = NULL WHERE login = 'leaver'")
    assert refusal.value.diag.constraint_name == "a_closed_account_holds_nothing"


def test_of_two_administrators_who_close_each_other_one_is_left(app: Flask, database: Addresses) -> None:
    actions.found_administrator("lin", "示例林", GOOD)
    first = actions.sign_in("lin", GOOD)
    second = other_administrator(first)
    keys = key_of(first), key_of(second)
    told = at_once(
        app,
        lambda: actions.close_account(first, keys[1]),
        lambda: actions.close_account(second, keys[0]),
    )
    assert told == ["LastAdministrator", "done"]


def other_administrator(first: Actor) -> Actor:
    account = actions.open_account(first, "zhao", "示例赵", GOOD)
    actions.change_password("zhao", GOOD, GOOD + "!")
    actions.grant(first, account.key, first.grants[0].role, first.grants[0].scope)
    return actor_of(account.id)


def test_a_forgotten_password_is_reset_by_an_administrator_and_then_chosen_anew(administrator: Actor) -> None:
    staff("regulator", login="wang")
    actions.reset_password(administrator, account_key("wang"), GOOD)
    with pytest.raises(actions.PasswordIsNotOwn):
        actions.sign_in("wang", GOOD)
    actions.change_password("wang", GOOD, GOOD + "!")
    assert actions.sign_in("wang", GOOD + "!").grants
