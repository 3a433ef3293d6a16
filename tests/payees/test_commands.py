"""Finance people at a terminal: one writes a payee and its sub-merchant down, another confirms both."""

import secrets
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask

from app.domain.payees import actions
from app.domain.units.rules import sample_credit_code
from app.kernel import clock
from payments.payees.actions.channels import OwnChannel
from payments.payees.actions.payees import OwnPayee
from payments.payees.models import Payee
from payments.payees.queries import accept_samples, collecting_payee, payee_by_key
from payments.payees.rules import FiscalParticulars
from tests.commands import refused, told
from tests.world import know_districts, payee, staff

SINCE = "2026-01-01T00:00+08:00"
DAY = timedelta(days=1)
FISCAL = {
    "level": "district", "district": "西湖区", "collecting-unit": "001001", "collecting-unit-name": "示例事务中心",
    "item-code": "103072101", "treasury": "示例区财政专户", "since": SINCE,
}  # fmt: skip
ENTERPRISE = {
    "tax-number": sample_credit_code("enterprise", 77), "bank": "示例银行", "bank-account": "571900000000001",
    "since": SINCE,
}  # fmt: skip


@pytest.fixture(autouse=True)
def city(app: Flask) -> None:
    know_districts()


def words(of: dict[str, str], **otherwise: str | None) -> list[str]:
    """Options of a command, some told otherwise or not at all."""
    changed = {**of, **{name.replace("_", "-"): value for name, value in otherwise.items()}}
    return [word for name, value in changed.items() if value is not None for word in (f"--{name}", value)]


def opened(app: Flask, kind: str = "fiscal") -> Payee:
    """What a person of finance wrote down."""
    particulars = FISCAL if kind == "fiscal" else ENTERPRISE
    name = f"示例收费主体{secrets.token_hex(4)}"
    made = told(app, staff("finance_maker"), "payees", f"open-{kind}", name, *words(particulars))
    return payee_by_key(made["key"])


def test_a_payee_and_its_sub_merchant_take_two_persons_each(app: Flask) -> None:
    maker, checker, made = staff("finance_maker"), staff("finance_checker"), opened(app)
    assert told(app, checker, "payees", "list")[-1]["confirmed"] == "未确认"
    assert refused(app, maker, "payees", "confirm", made.key, "--note", "财政局函") == "not_permitted"
    told(app, checker, "payees", "confirm", made.key, "--note", "财政局函")
    accept_samples(False)
    assert collecting_payee(made.id).district_code == "330106"
    number = str(1900000000 + secrets.randbelow(99_999_999))
    key = told(app, maker, "payees", "open-channel", made.name, "--sub-mchid", number)["key"]
    assert told(app, checker, "payees", "list")[-1]["sub_mchid"] is None
    told(app, checker, "payees", "confirm-channel", key)
    row = told(app, checker, "payees", "list")[-1]
    assert (row["confirmed"], row["sub_mchid"], row["level_text"]) == ("已确认", number, "区级")
    seen = told(app, checker, "payees", "show", made.name)
    assert seen["item_code"] == "103072101"
    assert [each["confirmed_by"] for each in seen["channels"]] == [checker.label]
    assert [each["note"] for each in seen["confirmations"]] == ["财政局函"]


def test_somebody_who_makes_and_checks_confirms_nothing_of_their_own(app: Flask) -> None:
    maker, made = staff("finance_maker"), opened(app)
    both = replace(maker, grants=(*maker.grants, *staff("finance_checker").grants))
    own = actions.open_channel(both, made.key, sp_mchid="1600000001", sub_mchid="1900000001")
    with pytest.raises(OwnChannel):
        actions.confirm_channel(both, own.key)
    particulars = FiscalParticulars("city", None, "001001", "示例事务中心", "103072101", "示例市国库")
    theirs = actions.open_payee(both, "示例", particulars, clock.now())
    with pytest.raises(OwnPayee):
        actions.confirm(both, theirs.key, "财政局函")


@pytest.mark.parametrize(
    ("otherwise", "code"),
    [
        ({"level": "city"}, "payee_level_unfit"),
        ({"district": None}, "payee_level_unfit"),
        ({"district": "330199"}, "payee_level_unfit"),
        ({"treasury": " "}, "payee_particulars_missing"),
        ({"item_code": "１０３０７２"}, "fiscal_code_unfit"),
        ({"collecting_unit": "001-001"}, "fiscal_code_unfit"),
    ],
)
def test_what_cannot_be_a_treasurys_payee_is_not_written_down(
    app: Flask, otherwise: dict[str, str | None], code: str
) -> None:
    maker = staff("finance_maker")
    assert refused(app, maker, "payees", "open-fiscal", "示例", *words(FISCAL, **otherwise)) == code


@pytest.mark.parametrize(
    ("otherwise", "code"),
    [
        ({"tax_number": "91330100MA00000000"}, "tax_number_unfit"),
        ({"bank_account": "5719-0001"}, "bank_account_unfit"),
        ({"bank": ""}, "payee_particulars_missing"),
    ],
)
def test_what_cannot_be_an_enterprise_is_not_written_down(
    app: Flask, otherwise: dict[str, str | None], code: str
) -> None:
    maker = staff("finance_maker")
    assert refused(app, maker, "payees", "open-enterprise", "示例", *words(ENTERPRISE, **otherwise)) == code


def test_a_payee_of_another_district_is_not_there(app: Flask) -> None:
    made, there, elsewhere = opened(app), "330106", "330108"
    assert refused(app, staff("finance_checker", district_code=elsewhere), "payees", "show", made.key) == "not_found"
    assert told(app, staff("finance_checker", district_code=there), "payees", "list")[-1]["key"] == str(made.key)
    assert told(app, staff("finance_checker", district_code=elsewhere), "payees", "list") == []


def test_what_is_no_longer_needed_ends(app: Flask) -> None:
    checker, at = staff("finance_checker"), clock.now() + DAY
    receives = payee("fiscal")
    seen = told(app, checker, "payees", "show", receives.name)
    told(app, checker, "payees", "retire-channel", seen["channels"][0]["key"], "--at", at.isoformat())
    told(app, checker, "payees", "retire", receives.name, "--at", at.isoformat())
    ended = told(app, checker, "payees", "show", receives.name)
    assert ended["until"] == ended["channels"][0]["until"] is not None
    assert refused(app, checker, "payees", "retire", receives.name, "--at", SINCE) == "end_unfit"


def test_a_sub_merchant_that_ended_by_mistake_is_reopened_by_two(app: Flask) -> None:
    maker, checker = staff("finance_maker"), staff("finance_checker")
    receives = payee("fiscal")
    [channel] = told(app, checker, "payees", "show", receives.name)["channels"]
    told(app, checker, "payees", "retire-channel", channel["key"], "--at", (clock.now() + DAY).isoformat())
    asked = told(app, maker, "payees", "reopen-channel", channel["key"], "--because", "误停用")["key"]
    [row] = told(app, checker, "payees", "reopenings", "--state", "waiting")
    assert (row["key"], row["channel"], row["made_by"]) == (asked, channel["key"], maker.label)
    assert refused(app, maker, "payees", "accept-reopening", asked, "--because", "已核") == "not_permitted"
    told(app, checker, "payees", "accept-reopening", asked, "--because", "已核")
    [channel] = told(app, checker, "payees", "show", receives.name)["channels"]
    assert (channel["until"], channel["reopened"]) == (None, 1)
    assert refused(app, checker, "payees", "reject-reopening", asked, "--because", "x") == "reopening_decided"


def test_requests_of_another_district_are_not_there(app: Flask) -> None:
    elsewhere = staff("finance_checker", district_code="330108")
    receives = payee("fiscal")
    [channel] = told(app, staff("finance_checker"), "payees", "show", receives.name)["channels"]
    end = (clock.now() + DAY).isoformat()
    told(app, staff("finance_checker"), "payees", "retire-channel", channel["key"], "--at", end)
    asked = told(app, staff("finance_maker"), "payees", "reopen-channel", channel["key"], "--because", "误停用")["key"]
    assert told(app, elsewhere, "payees", "reopenings") == []
    for deed in ("accept-reopening", "reject-reopening"):
        assert refused(app, elsewhere, "payees", deed, asked, "--because", "已核") == "not_found"
