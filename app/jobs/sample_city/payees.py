"""Who receives the money: the treasury of a unit's level, or the enterprise itself (N3.4.1, N3.4.2)."""

from datetime import datetime
from typing import Final

from app.domain.units.rules import CITY, DISTRICTS
from app.jobs.sample_city.table import MARK, Neighbourhood, Opened, treasury_of
from app.kernel.clock import SHANGHAI
from payments.payees.actions import (
    confirm,
    confirm_channel,
    confirm_terms,
    open_channel,
    open_payee,
    record_terms,
)
from payments.payees.models import Payee
from payments.payees.rules import PLAIN, EnterpriseParticulars, FiscalParticulars, InvoiceForm, Particulars, Vat

ACTOR: Final = "sample-city"
CHECKER: Final = f"{ACTOR}-checker"
FIRST_DAY: Final = datetime(2026, 1, 1, tzinfo=SHANGHAI)
PARKING: Final = "3040502020200000000"
"""车辆停放服务 in the tax classification: a candidate too."""
NOTE: Final = f"{MARK}数据，不得用于真实收费"
FIRST_SUB_MERCHANT: Final = 1_900_000_101
ITEM: Final = "103072101"
"""市政公共资源有偿使用收入: a candidate only. The finance bureau of the level must confirm it before money is real."""


class Payees:
    """Each payee is opened once, when its first lot asks for it, with a sub-merchant of its own."""

    def __init__(self, sp_mchid: str) -> None:
        self._sp_mchid = sp_mchid
        self._ids: dict[str, int] = {}

    def of(self, opened: Opened, around: Neighbourhood) -> int:
        """The id of the payee to whom a lot's money belongs."""
        if opened.kind == "enterprise":
            return self._ids.get(opened.unit) or self._open(opened.unit, _enterprise(len(self._ids)))
        code = treasury_of(opened, around)
        name = f"{MARK}·{DISTRICTS[code]}本级财政专户"
        return self._ids.get(name) or self._open(name, _treasury(code))

    def _open(self, name: str, particulars: Particulars) -> int:
        payee = open_payee(name, particulars, FIRST_DAY, actor=ACTOR)
        confirm(payee.id, confirmed_by=CHECKER, note=NOTE, sample=True)
        _may_give_receipts(payee)
        sub_mchid = str(FIRST_SUB_MERCHANT + len(self._ids))
        channel = open_channel(payee.id, sp_mchid=self._sp_mchid, sub_mchid=sub_mchid, actor=ACTOR)
        confirm_channel(channel.key, CHECKER)
        self._ids[name] = payee.id
        return payee.id


def _may_give_receipts(payee: Payee) -> None:
    """Sample terms: item, code and rate are candidates only, and count where samples do."""
    fiscal = payee.item_code is not None
    terms = record_terms(
        payee.id, FIRST_DAY, item_code=payee.item_code or PARKING,
        item_name="停车泊位有偿使用收入" if fiscal else "停车服务",
        vat=None if fiscal else Vat("general", 900), form=None if fiscal else InvoiceForm(PLAIN), note=NOTE, by=ACTOR,
    )  # fmt: skip
    confirm_terms(terms.key, CHECKER)


def _treasury(code: str) -> FiscalParticulars:
    place = DISTRICTS[code]
    return FiscalParticulars(
        level="city" if code == CITY else "district", district_code=None if code == CITY else code,
        collecting_unit_code=f"{code}001", collecting_unit_name=f"{MARK}·{place}机关事务服务中心",
        item_code=ITEM, treasury_target=f"{MARK}·{place}财政局非税收入专户",
    )  # fmt: skip


def _enterprise(number: int) -> EnterpriseParticulars:
    """A tax number and an account that cannot be anybody's."""
    return EnterpriseParticulars(f"91330100MA{number:08d}", f"{MARK}银行杭州分行", f"000000{number:012d}")
