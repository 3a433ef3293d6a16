"""Accounts and roles: founding, opening, granting, ending, closing."""

import os
import sys
import uuid
from pathlib import Path

import click

from app.domain.staff import actions, queries
from app.domain.staff.models import StaffAccount
from app.domain.staff.policy import POLICY, Role
from app.domain.staff.rules import Actor, Scope, ScopeKind
from app.domain.units.models import District, Operator, Unit
from app.jobs.commands.answers import Answer, Note, Sheet
from app.jobs.commands.door import acting, as_option, district_code, named, noun, password_of, password_option, telling
from app.kernel.db import transaction

staff = noun(
    "Accounts and roles (工作账号与授权): who may do what, and where.",
    "staff first-administrator lin 林某",
    "staff open wang 王某 --as lin",
    "staff grant wang regulator --district 330106 --as lin",
    "staff list --as lin --json",
)
new_password_option = click.option(
    "--new-password-file", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="file whose first line is the new password; else GONGBO_NEW_PASSWORD, else the terminal asks",
)  # fmt: skip


@staff.command("first-administrator")
@click.argument("login")
@click.argument("display_name", metavar="NAME")
@new_password_option
@telling
def first_administrator(login: str, display_name: str, new_password_file: Path | None) -> Answer:
    """Open the city's first account, an administrator's; works once, ever.

    Example: flask --app wsgi staff first-administrator lin 林某
    """
    account = actions.found_administrator(login, display_name, _new_password(login, new_password_file))
    return Note("首位管理员账号已开设", login=account.login, key=account.key)


@staff.command("open")
@click.argument("login")
@click.argument("display_name", metavar="NAME")
@new_password_option
@acting
def open_account(by: Actor, login: str, display_name: str, new_password_file: Path | None) -> Answer:
    """Open an account; its person must choose another password with `staff password` first.

    Example: flask --app wsgi staff open wang 王某 --as lin
    """
    account = actions.open_account(by, login, display_name, _new_password(login, new_password_file))
    return Note("账号已开设，首次使用前须修改密码", login=account.login, key=account.key)


@staff.command("close")
@click.argument("account")
@acting
def close(by: Actor, account: str) -> Answer:
    """Close the account (login or key) of a person who left, with all its grants, for good.

    Example: flask --app wsgi staff close wang --as lin
    """
    actions.close_account(by, named(StaffAccount, account, "login").key)
    return Note("账号已关闭")


@staff.command("grant")
@click.argument("account")
@click.argument("role", type=click.Choice([role.value for role in Role]))
@click.option("--district", help="only in this district (code or name)")
@click.option("--unit", help="only for this unit (key or name)")
@click.option("--operator", help="only for this operator (key or name)")
@acting
def grant(
    by: Actor, account: str, role: str, district: str | None, unit: str | None, operator: str | None
) -> Answer:  # fmt: skip
    """Give an account (login or key) a role: in the whole city, or in one district, unit or operator.

    Example: flask --app wsgi staff grant wang regulator --district 330106 --as lin
    """
    scope = _scope(district, unit, operator)
    given = actions.grant(by, named(StaffAccount, account, "login").key, Role(role), scope)
    return Note("授权已生效", key=given.key)


@staff.command("end-grant")
@click.argument("grant_key", type=click.UUID)
@acting
def end_grant(by: Actor, grant_key: uuid.UUID) -> Answer:
    """End a grant by its key (see `staff list`).

    Example: flask --app wsgi staff end-grant 0197b5c8-... --as lin
    """
    actions.end_grant(by, grant_key)
    return Note("授权已终止")


@staff.command("list")
@click.option("--closed", "with_closed", is_flag=True, help="closed accounts too")
@acting
def list_accounts(by: Actor, *, with_closed: bool) -> Answer:
    """List accounts with the grants that hold now.

    Example: flask --app wsgi staff list --as lin --json
    """
    rows = [
        {
            "login": account.login,
            "name": account.display_name,
            "grants": [f"{grant.role}@{_place(grant.scope)} {grant.key}" for grant in account.grants],
            "opened_at": account.opened_at,
            "closed_at": account.closed_at,
            "key": account.key,
        }
        for account in queries.accounts(by, with_closed=with_closed)
    ]
    return Sheet(
        {"login": "登录名", "name": "姓名", "grants": "授权", "opened_at": "开设时间", "closed_at": "关闭时间"}, rows
    )


@staff.command("roles")
@telling
def roles() -> Answer:
    """Print the policy table: each action, and the roles that may take it within their scope.

    Example: flask --app wsgi staff roles --json
    """
    rows = [{"action": action, "roles": sorted(may)} for action, may in POLICY.items()]
    return Sheet({"action": "操作", "roles": "角色"}, rows)


@staff.command("password")
@as_option
@password_option
@new_password_option
@telling
def password(acting_as: str, password_file: Path | None, new_password_file: Path | None) -> Answer:
    """Choose another password for your own account.

    Example: flask --app wsgi staff password --as wang
    """
    actions.change_password(
        acting_as, password_of(acting_as, password_file), _new_password(acting_as, new_password_file)
    )
    return Note("密码已修改")


@staff.command("reset-password")
@click.argument("account")
@new_password_option
@acting
def reset_password(by: Actor, account: str, new_password_file: Path | None) -> Answer:
    """Give a person who forgot theirs a password that is good for choosing the next one.

    Example: flask --app wsgi staff reset-password wang --as lin
    """
    known = named(StaffAccount, account, "login")
    actions.reset_password(by, known.key, _new_password(known.login, new_password_file))
    return Note("密码已重置，首次使用前须修改")


def _new_password(login: str, file: Path | None) -> str:
    """From the file or the environment; at a terminal asked twice."""
    if file is None and "GONGBO_NEW_PASSWORD" not in os.environ and sys.stdin.isatty():
        return str(click.prompt(f"{login} 的新密码", hide_input=True, confirmation_prompt=True, err=True))
    return password_of(login, file, "GONGBO_NEW_PASSWORD")


def _scope(district: str | None, unit: str | None, operator: str | None) -> Scope:
    if sum(place is not None for place in (district, unit, operator)) > 1:
        raise click.UsageError("name one of --district, --unit and --operator")
    if district is not None:
        return Scope(ScopeKind.DISTRICT, district_code=district_code(district))
    if unit is not None:
        return Scope(ScopeKind.UNIT, unit_id=named(Unit, unit).id)
    if operator is not None:
        return Scope(ScopeKind.OPERATOR, operator_id=named(Operator, operator).id)
    return Scope(ScopeKind.CITY)


def _place(scope: Scope) -> str:
    with transaction() as session:
        if scope.unit_id is not None:
            return session.get_one(Unit, scope.unit_id).name
        if scope.operator_id is not None:
            return session.get_one(Operator, scope.operator_id).name
        return session.get_one(District, scope.district_code).name if scope.district_code else "全市"
