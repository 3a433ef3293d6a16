"""Payees (收费主体): who may collect money and through which WeChat sub-merchant, by two persons of finance."""

import uuid
from datetime import datetime
from typing import Any

import click

from app.domain.payees import actions, queries
from app.domain.payees.queries import PayeeView
from app.domain.payees.rules import LEVELS, REGIMES
from app.domain.staff.rules import Actor
from app.jobs.commands.answers import Answer, Note, Sheet
from app.jobs.commands.door import MOMENT, acting, because_option, district_code, looking, named, noun
from app.wiring import wiring
from payments.payees.models import MerchantChannel, Payee
from payments.payees.rules import REOPENING_STATES, EnterpriseParticulars, FiscalParticulars

payees = noun(
    "Payees (收费主体): legal recipients of money, and the WeChat sub-merchants (特约商户) that lead to them.",
    "payees open-fiscal 某区财政专户 --level district --district 西湖区 --collecting-unit 001001 "
    "--collecting-unit-name 某区机关事务服务中心 --item-code 103072101 --treasury 某区财政局非税收入专户 "
    "--since 2026-07-01T00:00+08:00 --as wang",
    "payees confirm 某区财政专户 --note 财政局函〔2026〕12号 --as lin",
    "payees open-channel 某区财政专户 --sub-mchid 1900000109 --as wang",
    "payees confirm-channel 0197b5c8-0000-7000-8000-000000000000 --as lin",
    "payees reopen-channel 0197b5c8-0000-7000-8000-000000000000 --because 误停用 --as wang",
)
since_option = click.option("--since", type=MOMENT, required=True, help="from when on lots may name it")
at_option = click.option("--at", type=MOMENT, required=True, help="until when, with its offset")


@payees.command("open-fiscal")
@click.argument("name")
@click.option("--level", type=click.Choice(list(LEVELS)), required=True, help="whose treasury")
@click.option("--district", help="of a district's treasury its code or name")
@click.option("--collecting-unit", "collecting_unit_code", required=True, help="执收单位编码")
@click.option("--collecting-unit-name", required=True, help="执收单位名称")
@click.option("--item-code", required=True, help="非税收入项目编码")
@click.option("--treasury", "treasury_target", required=True, help="where the money is paid in (缴入账户)")
@since_option
@acting
def open_fiscal(by: Actor, name: str, since: datetime, district: str | None, **told: str) -> Answer:
    """Write down a payee that collects for a treasury; it collects when another person has confirmed it.

    Example: flask --app wsgi payees open-fiscal 某市级财政专户 --level city --collecting-unit 001001
    --collecting-unit-name 某市机关事务服务中心 --item-code 103072101 --treasury 某市财政局非税收入专户
    --since 2026-07-01T00:00+08:00 --as wang
    """
    code = None if district is None else district_code(district)
    return _opened(actions.open_payee(by, name, FiscalParticulars(district_code=code, **told), since))


@payees.command("open-enterprise")
@click.argument("name")
@click.option("--tax-number", required=True, help="纳税人识别号, the unified social credit code")
@click.option("--bank", required=True, help="开户银行")
@click.option("--bank-account", required=True, help="银行账号")
@since_option
@acting
def open_enterprise(by: Actor, name: str, tax_number: str, bank: str, bank_account: str, since: datetime) -> Answer:
    """Write down an enterprise that collects for itself; it collects when another person has confirmed it.

    Example: flask --app wsgi payees open-enterprise 某城投停车公司 --tax-number 91330100MA2H00000K
    --bank 某银行杭州分行 --bank-account 571900000000001 --since 2026-07-01T00:00+08:00 --as wang
    """
    return _opened(actions.open_payee(by, name, EnterpriseParticulars(tax_number, bank, bank_account), since))


@payees.command("confirm")
@click.argument("payee")
@click.option("--note", required=True, help="on what this rests, such as the finance bureau's letter")
@click.option("--sample", is_flag=True, help="a sample (示例), as its note says too: it never counts in production")
@acting
def confirm(by: Actor, payee: str, note: str, *, sample: bool) -> Answer:
    """Confirm the particulars of a payee (key or name) that another person wrote down.

    Example: flask --app wsgi payees confirm 某区财政专户 --note 财政局函〔2026〕12号 --as lin
    """
    actions.confirm(by, named(Payee, payee).key, note, sample=sample)
    return Note("收费主体已确认")


@payees.command("retire")
@click.argument("payee")
@at_option
@acting
def retire(by: Actor, payee: str, at: datetime) -> Answer:
    """Let no lot name a payee (key or name) any more from a moment on; what arose before, it still collects.

    Example: flask --app wsgi payees retire 某区财政专户 --at 2027-01-01T00:00+08:00 --as lin
    """
    actions.retire(by, named(Payee, payee).key, at)
    return Note("收费主体已停用", at=at)


@payees.command("open-channel")
@click.argument("payee")
@click.option("--sub-mchid", required=True, help="特约商户号 that WeChat gave to this payee")
@click.option("--since", type=MOMENT, help="from when on it takes orders; else from its confirmation on")
@acting
def open_channel(by: Actor, payee: str, sub_mchid: str, since: datetime | None) -> Answer:
    """Tie a WeChat sub-merchant to a payee (key or name); it takes orders when another person has confirmed it.

    Example: flask --app wsgi payees open-channel 某区财政专户 --sub-mchid 1900000109 --as wang
    """
    made = actions.open_channel(
        by, named(Payee, payee).key, sp_mchid=wiring().settings.wechat.sp_mchid, sub_mchid=sub_mchid, since=since
    )
    return Note("特约商户已登记，待另一人确认", key=made.key)


@payees.command("confirm-channel")
@click.argument("channel", type=click.UUID)
@acting
def confirm_channel(by: Actor, channel: uuid.UUID) -> Answer:
    """Confirm a sub-merchant (its key) that another person tied to its payee; the one before takes no more orders.

    Example: flask --app wsgi payees confirm-channel 0197b5c8-0000-7000-8000-000000000000 --as lin
    """
    made = actions.confirm_channel(by, channel)
    return Note("特约商户已确认", since=made.valid[-1].lower if made.valid else None)


@payees.command("retire-channel")
@click.argument("channel", type=click.UUID)
@at_option
@acting
def retire_channel(by: Actor, channel: uuid.UUID, at: datetime) -> Answer:
    """Let a sub-merchant (its key) take no order from a moment on; what it took is settled and given back as before.

    Example: flask --app wsgi payees retire-channel 0197b5c8-… --at 2027-01-01T00:00+08:00 --as lin
    """
    actions.retire_channel(by, channel, at)
    return Note("特约商户已停用", at=at)


@payees.command("reopen-channel")
@click.argument("channel", type=click.UUID)
@because_option
@acting
def reopen_channel(by: Actor, channel: uuid.UUID, because: str) -> Answer:
    """Ask that a sub-merchant (its key) which ended by mistake takes orders again; another person decides.

    Example: flask --app wsgi payees reopen-channel 0197b5c8-… --because 误停用 --as wang
    """
    return Note("恢复申请已提交复核", key=actions.reopen_channel(by, channel, because).key)


@payees.command("reopenings")
@click.option("--state", type=click.Choice(REOPENING_STATES), help="only those in this state")
@looking
def list_reopenings(by: Actor, state: str | None) -> Answer:
    """List requests to reopen sub-merchants, the newest first.

    Example: flask --app wsgi payees reopenings --state waiting --as lin
    """
    headings = {
        "key": "编号", "channel": "特约商户编号", "sub_mchid": "特约商户号", "because": "原因", "made_by": "申请人",
        "made_at": "申请时间", "state": "状态", "decided_by": "复核人", "decided_because": "复核意见",
    }  # fmt: skip
    found = queries.reopenings(by, state=state)
    return Sheet(headings, [{**vars(asked), "channel": of.key, "sub_mchid": of.sub_mchid} for asked, of in found])


@payees.command("accept-reopening")
@click.argument("reopening", type=click.UUID)
@because_option
@acting
def accept_reopening(by: Actor, reopening: uuid.UUID, because: str) -> Answer:
    """Agree with another's request (its key): the sub-merchant takes orders from now on, any other of its payee none.

    Example: flask --app wsgi payees accept-reopening 0197b5c8-… --because 已核 --as lin
    """
    return Note("特约商户已恢复", since=actions.accept_reopening(by, reopening, because).decided_at)


@payees.command("reject-reopening")
@click.argument("reopening", type=click.UUID)
@because_option
@acting
def reject_reopening(by: Actor, reopening: uuid.UUID, because: str) -> Answer:
    """Do not agree with another's request (its key): the sub-merchant stays as it ends.

    Example: flask --app wsgi payees reject-reopening 0197b5c8-… --because 停用无误 --as lin
    """
    return Note("恢复申请已退回", state=actions.reject_reopening(by, reopening, because).state)


@payees.command("list")
@looking
def list_payees(by: Actor) -> Answer:
    """List the payees within your reach, and through which sub-merchant each is paid at this moment.

    Example: flask --app wsgi payees list --as lin
    """
    headings = {
        "key": "编号", "name": "收费主体", "regime_text": "性质", "level_text": "级次", "district_code": "区县",
        "confirmed": "确认", "sub_mchid": "特约商户号", "since": "启用", "until": "停用",
    }  # fmt: skip
    return Sheet(headings, [_row(each) for each in queries.payees(by)])


@payees.command("show")
@click.argument("payee")
@looking
def show(by: Actor, payee: str) -> Answer:
    """Show a payee (key or name): its particulars, who vouches for them, and its sub-merchants.

    Example: flask --app wsgi payees show 某区财政专户 --as lin --json
    """
    seen = queries.one_payee(by, named(Payee, payee).key)
    told = {name: getattr(seen.payee, name) for name in _PARTICULARS if getattr(seen.payee, name) is not None}
    said = [
        {"by": each.confirmed_by, "at": each.confirmed_at, "note": each.note, "sample": each.sample}
        for each in seen.confirmations
    ]
    channels = [_channel(each) for each in seen.channels]
    return Note(
        "收费主体", key=seen.payee.key, **told, since=seen.payee.valid.lower, until=seen.payee.valid.upper,
        confirmations=said, channels=channels,
    )  # fmt: skip


_PARTICULARS = (
    "name", "regime", "level", "district_code", "collecting_unit_code", "collecting_unit_name", "item_code",
    "treasury_target", "tax_number", "bank_name", "bank_account", "opened_by",
)  # fmt: skip


def _opened(made: Payee) -> Answer:
    return Note("收费主体已登记，待另一人确认", key=made.key)


def _row(seen: PayeeView) -> dict[str, Any]:
    payee = seen.payee
    return {
        "key": payee.key, "name": payee.name, "regime_text": REGIMES[payee.regime],
        "level_text": "" if payee.level is None else LEVELS[payee.level], "district_code": payee.district_code,
        "confirmed": _confirmed(seen), "sub_mchid": seen.sub_mchid, "since": payee.valid.lower,
        "until": payee.valid.upper,
    }  # fmt: skip


def _confirmed(seen: PayeeView) -> str:
    if not seen.confirmations:
        return "未确认"
    return "仅示例" if all(each.sample for each in seen.confirmations) else "已确认"


def _channel(channel: MerchantChannel) -> dict[str, Any]:
    times = channel.valid or ()
    return {
        "key": channel.key, "sub_mchid": channel.sub_mchid, "opened_by": channel.opened_by,
        "confirmed_by": channel.confirmed_by, "since": times[0].lower if times else None,
        "until": times[-1].upper if times else None, "reopened": channel.reopened,
    }  # fmt: skip
