"""Sample staff: who tells of lots, who approves them and who runs them; nobody real is meant (示例)."""

from typing import Final

from sqlalchemy import select

from app.domain.staff import actions as staff
from app.domain.staff.models import StaffGrant
from app.domain.staff.policy import Role
from app.domain.staff.queries import account_key, actor_of
from app.domain.staff.rules import Actor, Scope, ScopeKind
from app.domain.units.models import Unit
from app.kernel.db import transaction

PASSWORD: Final = "示例密码请勿用于真实系统"  # noqa: S105 - of samples
"""Of every sample account; production has none of them."""

ADMINISTRATOR: Final = "sample-admin"
UNITS: Final = "sample-unit"
REGULATOR: Final = "sample-regulator"
FINANCE: Final = "sample-finance"
PRICES: Final = ("sample-price-1", "sample-price-2")
CITY_SCOPE: Final = Scope(ScopeKind.CITY)


class People:
    """The sample's staff; whoever founded the city already stays its administrator."""

    def __init__(self) -> None:
        self._administrator = _administrator()
        self.regulator = self._person(REGULATOR, "示例·监管人员", Role.REGULATOR, CITY_SCOPE)
        self.finance = self._person(FINANCE, "示例·财务复核", Role.FINANCE_CHECKER, CITY_SCOPE)
        proposer, approver = PRICES
        self.proposer = self._person(proposer, "示例·价格经办", Role.PRICE_OFFICER, CITY_SCOPE)
        self.price_officer = self._person(approver, "示例·价格审批", Role.PRICE_OFFICER, CITY_SCOPE)
        self._units_person = self._account(UNITS, "示例·单位经办人")

    def of_unit(self, unit: Unit) -> Actor:
        """Somebody who acts for a unit: the same person for all units of the sample."""
        staff.grant(
            self._administrator, account_key(UNITS), Role.UNIT, Scope(ScopeKind.UNIT, unit_id=unit.id)
        )  # fmt: skip
        return actor_of(self._units_person)

    def _person(self, login: str, name: str, role: Role, scope: Scope) -> Actor:
        account_id = self._account(login, name)
        staff.grant(self._administrator, account_key(login), role, scope)
        return actor_of(account_id)

    def _account(self, login: str, name: str) -> int:
        account = staff.open_account(self._administrator, login, name, PASSWORD)
        staff.change_password(login, PASSWORD, PASSWORD)
        return account.id


def _administrator() -> Actor:
    with transaction() as session:
        first = session.scalar(select(StaffGrant.account_id).where(StaffGrant.is_first))
        known = first or staff.found_administrator(ADMINISTRATOR, "示例·管理员", PASSWORD).id
        return actor_of(known)
