"""Lots: drafted, checked, submitted, approved, published, suspended, withdrawn; and what each lacks."""

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import click

from app.domain.adjustments import actions as adjustments
from app.domain.lots import actions
from app.domain.lots.models import Lot
from app.domain.lots.queries.history import LotStory, coverage, standing_of, story_of
from app.domain.lots.queries.payees import PAGE, payees_of_lots
from app.domain.lots.queries.places import lots_in_reach, seen_lot
from app.domain.lots.queries.standing import shortfalls_of
from app.domain.lots.rules.shortfalls import Counts, Shortfall
from app.domain.lots.rules.telling import AREAS, BAY_KINDS, DIRECTIONS, NewBay, NewEntrance, NewLot
from app.domain.staff.queries import logins
from app.domain.staff.rules import Actor
from app.domain.units.models import Unit
from app.jobs.commands.answers import Answer, Note, Sheet
from app.jobs.commands.door import MOMENT, PAPER, acting, looking, named, noun
from app.kernel.files import Paper
from payments.payees.models import Payee

STATES = {
    "draft": "草稿", "submitted": "待审批", "approved": "已批准", "open": "开放", "suspended": "暂停",
    "withdrawn": "已撤销",
}  # fmt: skip
lots = noun(
    "Lots (停车场库): from draft to publication, and what falls short.",
    "lots draft 某局 某局停车场 某路1号 30.25 120.16 --total 60 --bays A001-A020 --as wang",
    "lots show 某局停车场 --as wang",
    "lots submit 某局停车场 --as wang",
    "lots approve 某局停车场 --as lin",
    "lots standing 某局 --as lin --json",
)
WHY = click.option("--why", required=True, help="the reason, which stays with the step")
MAY_SAY_WHY = click.option("--why", default="", help="a remark, which stays with the step")


def described(command: Any) -> Any:
    """The options that tell of a lot, for drafting and changing."""
    for option in reversed(
        (
            click.option("--total", "total_bays", type=int, help="bays in all, shared or not"),
            click.option("--chargers", "total_chargers", type=int, help="chargers in all"),
            click.option("--shared-chargers", "shared_chargers", type=int, help="chargers for the public"),
            click.option("--height", "height_limit_cm", type=int, help="height limit in centimetres"),
            click.option("--length", "length_limit_cm", type=int, help="length limit in centimetres"),
            click.option("--area", type=click.Choice(list(AREAS)), help="city centre, commercial area or other"),
        )
    ):
        command = option(command)
    return command


@lots.command("draft")
@click.argument("unit")
@click.argument("name")
@click.argument("address")
@click.argument("latitude", type=float)
@click.argument("longitude", type=float)
@described
@click.option("--bays", "numbers", multiple=True, help="shared bays, such as A001-A020 or B07:charging; repeatable")
@acting
def draft(by: Actor, unit: str, *, numbers: Sequence[str], **told: Any) -> Answer:
    """Draft a lot of a unit (key or name) at a GCJ-02 point; nobody sees it yet.

    Example: flask --app wsgi lots draft 某局 某局停车场 某路1号 30.25 120.16 --total 60 --bays A001-A020 --as wang
    """
    given = {name: value for name, value in told.items() if value is not None}
    lot = actions.draft(by, named(Unit, unit).key, NewLot(**{"total_bays": 0} | given), _bays(numbers))
    return Note("停车场草稿已登记", key=lot.key, shortfalls=_told(shortfalls_of(lot.id)))


@lots.command("change")
@click.argument("lot")
@click.option("--name", help="its name")
@click.option("--address", help="its address")
@click.option("--latitude", type=float, help="GCJ-02")
@click.option("--longitude", type=float, help="GCJ-02")
@described
@acting
def change(by: Actor, lot: str, **told: Any) -> Answer:
    """Tell a draft (key or name) anew; what is not named stays.

    Example: flask --app wsgi lots change 某局停车场 --total 80 --as wang
    """
    row = seen_lot(by, named(Lot, lot).key)
    said = NewLot(**{name: getattr(row, name) for name in NewLot.__dataclass_fields__})
    given = {name: value for name, value in told.items() if value is not None}
    actions.change(by, row.key, replace(said, **given))
    return Note("停车场信息已更改", key=row.key)


@lots.command("bays")
@click.argument("lot")
@click.option("--add", "added", multiple=True, help="more shared bays, such as A021-A030 or B08:accessible")
@click.option("--share", "shared", multiple=True, help="numbers of bays to share again")
@click.option("--keep", "kept", multiple=True, help="numbers of bays to share no longer, as far as the plan allows")
@acting
def bays(by: Actor, lot: str, *, added: Sequence[str], shared: Sequence[str], kept: Sequence[str]) -> Answer:
    """Add bays, share more of them, or keep some; fewer than the plan in force says needs another plan.

    Example: flask --app wsgi lots bays 某局停车场 --add A021-A030 --as wang
    """
    key = named(Lot, lot).key
    changed = actions.add_bays(by, key, _bays(added)) if added else 0
    for numbers, share in ((shared, True), (kept, False)):
        changed += actions.share_bays(by, key, [bay.number for bay in _bays(numbers)], shared=share) if numbers else 0
    return Note("泊位已更新", changed=changed)


@lots.command("chargers")
@click.argument("lot")
@click.argument("total", type=int)
@click.argument("shared", type=int)
@acting
def chargers(by: Actor, lot: str, total: int, shared: int) -> Answer:
    """Tell how many chargers a lot has and how many the public may use (N2.2.2).

    Example: flask --app wsgi lots chargers 某局停车场 10 4 --as wang
    """
    actions.change_chargers(by, named(Lot, lot).key, total, shared)
    return Note("充电设施已更新")


@lots.command("entrances")
@click.argument("lot")
@click.argument("entrances", nargs=-1, required=True)
@acting
def entrances(by: Actor, lot: str, entrances: Sequence[str]) -> Answer:
    """Tell all entrances of a lot anew, each as NAME,LATITUDE,LONGITUDE,in|out|both (GCJ-02).

    Example: flask --app wsgi lots entrances 某局停车场 东门,30.25,120.16,both --as wang
    """
    told = [_entrance(each) for each in entrances]
    actions.change_entrances(by, named(Lot, lot).key, told)
    return Note("出入口已更新", entrances=len(told))


@lots.command("photo")
@click.argument("lot")
@click.option("--file", "paper", type=PAPER, required=True, help="PNG or JPEG")
@click.option("--caption", default="", help="what it shows")
@acting
def photo(by: Actor, lot: str, *, paper: Paper, caption: str) -> Answer:
    """Add a photo of a lot.

    Example: flask --app wsgi lots photo 某局停车场 --file gate.jpg --caption 东门 --as wang
    """
    return Note("照片已添加", photo_id=actions.add_photo(by, named(Lot, lot).key, paper, caption).id)


@lots.command("remove-photo")
@click.argument("lot")
@click.argument("photo_id", type=int)
@acting
def remove_photo(by: Actor, lot: str, photo_id: int) -> Answer:
    """Show a photo (see `lots show`) no longer.

    Example: flask --app wsgi lots remove-photo 某局停车场 12 --as wang
    """
    actions.remove_photo(by, named(Lot, lot).key, photo_id)
    return Note("照片已移除")


@lots.command("facilities")
@click.argument("lot")
@click.option("--security/--no-security", required=True, help="security (安防) is in order")
@click.option("--lighting/--no-lighting", required=True, help="lighting (照明) is in order")
@click.option("--fire/--no-fire", required=True, help="fire protection (消防) is in order")
@click.option("--note", default="", help="what was seen; obligatory when something is not in order")
@click.option("--photo", type=PAPER, help="a photo or PDF; obligatory when all is in order")
@click.option("--at", "checked_at", type=MOMENT, help="when it was checked; else now")
@acting
def facilities(by: Actor, lot: str, *, photo: Paper | None, checked_at: datetime | None, **found: Any) -> Answer:
    """Record a check of the facilities (N2.2.4); an open lot that fails is suspended at once.

    Example: flask --app wsgi lots facilities 某局停车场 --security --lighting --fire --photo check.jpg --as wang
    """
    check = adjustments.check_facilities(by, named(Lot, lot).key, actions.Found(**found), photo, checked_at)
    told = "设施检查合格" if check.is_sound else "设施检查不合格，已开放的停车场已暂停"
    return Note(told, checked_at=check.checked_at)


@lots.command("check-contacts")
@click.argument("lot")
@acting
def check_contacts(by: Actor, lot: str) -> Answer:
    """Say that the persons named in the plan in force were reached and are right today (N5.4).

    Example: flask --app wsgi lots check-contacts 某局停车场 --as wang
    """
    return Note("联系人已核对", contacts=actions.check_contacts(by, named(Lot, lot).key))


@lots.command("submit")
@click.argument("lot")
@MAY_SAY_WHY
@acting
def submit(by: Actor, lot: str, *, why: str) -> Answer:
    """Submit a draft for approval; what falls short is told at once.

    Example: flask --app wsgi lots submit 某局停车场 --as wang
    """
    row = actions.submit(by, named(Lot, lot).key, why)
    return Note("停车场已提交审批", shortfalls=_told(shortfalls_of(row.id)))


@lots.command("approve")
@click.argument("lot")
@MAY_SAY_WHY
@acting
def approve(by: Actor, lot: str, *, why: str) -> Answer:
    """Approve a submitted lot; who submitted it cannot.

    Example: flask --app wsgi lots approve 某局停车场 --as lin
    """
    return Note("停车场已批准", shortfalls=_told(actions.approve(by, named(Lot, lot).key, why)))


@lots.command("send-back")
@click.argument("lot")
@WHY
@acting
def send_back(by: Actor, lot: str, *, why: str) -> Answer:
    """Make a submitted or approved lot a draft again.

    Example: flask --app wsgi lots send-back 某局停车场 --why 照片不清 --as lin
    """
    actions.send_back(by, named(Lot, lot).key, why)
    return Note("停车场已退回")


@lots.command("publish")
@click.argument("lot")
@MAY_SAY_WHY
@acting
def publish(by: Actor, lot: str, *, why: str) -> Answer:
    """Open an approved lot to the public and write its open windows down.

    Example: flask --app wsgi lots publish 某局停车场 --as wang
    """
    return Note("停车场已对外开放", shortfalls=_told(actions.publish(by, named(Lot, lot).key, why)))


@lots.command("suspend")
@click.argument("lot")
@WHY
@acting
def suspend(by: Actor, lot: str, *, why: str) -> Answer:
    """Take an open lot out of reach for a while; its reservations are displaced, their motorists told.

    Example: flask --app wsgi lots suspend 某局停车场 --why 路面施工 --as wang
    """
    adjustments.suspend(by, named(Lot, lot).key, why)
    return Note("停车场已暂停开放，受影响的预约已处理")


@lots.command("reopen")
@click.argument("lot")
@WHY
@acting
def reopen(by: Actor, lot: str, *, why: str) -> Answer:
    """Open a suspended lot again; who lost a reservation there hears of it.

    Example: flask --app wsgi lots reopen 某局停车场 --why 施工结束 --as wang
    """
    return Note("停车场已恢复开放", shortfalls=_told(adjustments.reopen(by, named(Lot, lot).key, why)))


@lots.command("withdraw")
@click.argument("lot")
@WHY
@acting
def withdraw(by: Actor, lot: str, *, why: str) -> Answer:
    """End a lot's life for good; its reservations are displaced, their motorists told.

    Example: flask --app wsgi lots withdraw 某局停车场 --why 拆除 --as wang
    """
    adjustments.withdraw(by, named(Lot, lot).key, why)
    return Note("停车场已撤销")


@lots.command("propose-payee")
@click.argument("lot")
@click.argument("payee")
@click.option("--from", "valid_from", type=MOMENT, required=True, help="since when, in Hangzhou")
@acting
def propose_payee(by: Actor, lot: str, payee: str, *, valid_from: datetime) -> Answer:
    """Propose that a lot's money belongs to a payee (key or name) from a moment on (N3.4); another person lets it.

    Example: flask --app wsgi lots propose-payee 某局停车场 某财政专户 --from '2026-07-01 00:00' --as wang
    """
    made = actions.propose_payee(by, named(Lot, lot).key, named(Payee, payee).id, valid_from)
    return Note("收费主体设定已提交复核", key=made.key)


@lots.command("pay-to")
@click.argument("proposal", type=click.UUID)
@acting
def pay_to(by: Actor, proposal: uuid.UUID) -> Answer:
    """Let a proposal (its key) of whose a lot's money is come true that another person made.

    Example: flask --app wsgi lots pay-to 0197b5c8-0000-7000-8000-000000000000 --as lin
    """
    actions.pay_to(by, proposal)
    return Note("收费主体已设定")


@lots.command("payees")
@click.option("--waiting", is_flag=True, help="only what waits for a second person")
@click.option("--limit", type=click.IntRange(1, 10_000), default=PAGE, show_default=True, help="rows at most")
@looking
def list_payees(by: Actor, *, waiting: bool, limit: int) -> Answer:
    """List whose the money of lots is, was and is proposed to be, the newest proposal first.

    Example: flask --app wsgi lots payees --waiting --as lin
    """
    headings = {
        "key": "编号", "lot": "停车场", "payee": "收费主体", "valid_from": "起", "until": "止",
        "proposed_by": "申请人", "confirmed_by": "复核人",
    }  # fmt: skip
    return Sheet(headings, [vars(each) for each in payees_of_lots(by, waiting=waiting, limit=limit)])


@lots.command("list")
@click.option("--unit", help="only of this unit (key or name)")
@click.option("--state", type=click.Choice(list(STATES)), help="only in this state")
@click.option("--limit", type=click.IntRange(1, 10_000), default=200, show_default=True)
@acting
def list_lots(by: Actor, *, unit: str | None, state: str | None, limit: int) -> Answer:
    """List the lots within your reach.

    Example: flask --app wsgi lots list --state submitted --as lin --json
    """
    unit_key = named(Unit, unit).key if unit else None
    found = lots_in_reach(by, unit_key=unit_key, state=state, limit=limit)
    headings = {"name": "停车场", "unit": "开放单位", "state": "状态", "address": "地址", "total_bays": "总泊位"}
    return Sheet(
        headings,
        [
            {
                "name": each.lot.name, "unit": each.unit.name, "state": STATES[each.lot.state],
                "address": each.lot.address, "total_bays": each.lot.total_bays, "key": each.lot.key,
            }
            for each in found
        ],
    )  # fmt: skip


@lots.command("show")
@click.argument("lot")
@acting
def show(by: Actor, lot: str) -> Answer:
    """Show a lot with its whole story: bays, steps, plans, checks, named persons, and what falls short.

    Example: flask --app wsgi lots show 某局停车场 --as wang
    """
    story = story_of(by, named(Lot, lot).key)
    return Note(f"{story.lot.name}（{STATES[story.lot.state]}）", **_facts(story))


def _facts(story: LotStory) -> dict[str, Any]:
    lot, who = story.lot, logins([step.by_account for step in story.steps])
    return {
        "key": lot.key, "unit": story.unit.name, "address": lot.address, "area": AREAS[lot.area],
        "point": [lot.latitude, lot.longitude], "total_bays": lot.total_bays,
        "shared_bays": sum(bay.shared for bay in story.bays), "chargers": [lot.shared_chargers, lot.total_chargers],
        "limits_cm": {"height": lot.height_limit_cm, "length": lot.length_limit_cm},
        "bays": [f"{bay.number} {BAY_KINDS[bay.kind]}{'' if bay.shared else '（自用）'}" for bay in story.bays],
        "entrances": [f"{each.name} {DIRECTIONS[each.direction]}" for each in story.entrances],
        "photos": [{"id": each.id, "caption": each.caption} for each in story.photos],
        "contacts": story.contacts,
        "steps": [
            {"event": step.event, "by": who.get(step.by_account), "why": step.why, "at": step.at}
            for step in story.steps
        ],
        "plans": [{"key": plan.key, "version": plan.version, "state": plan.state} for plan in story.plans],
        "checks": [
            {"at": check.checked_at, "sound": check.is_sound, "note": check.note} for check in story.checks
        ],
        "shortfalls": _told(story.shortfalls),
    }  # fmt: skip


@lots.command("standing")
@click.argument("unit")
@acting
def standing(by: Actor, unit: str) -> Answer:
    """Show what a unit (key or name) shares of its bays and chargers, in all and by lot (N2.2.2).

    Example: flask --app wsgi lots standing 某局 --as lin
    """
    found = standing_of(by, named(Unit, unit).key)
    headings = {
        "name": "停车场", "state": "状态", "total_bays": "总泊位", "shared_bays": "共享泊位", "bays_percent": "占比%",
        "total_chargers": "充电设施", "shared_chargers": "共享充电", "chargers_percent": "充电占比%",
    }  # fmt: skip
    rows = [{"name": each.lot.name, "state": STATES[each.lot.state], **_counts(each.counts)} for each in found.lots]
    return Sheet(headings, [*rows, {"name": "合计", "state": "", **_counts(found.counts)}])


@lots.command("coverage")
@acting
def show_coverage(by: Actor) -> Answer:
    """Show by district how many units, lots and bays are promised and open (N2.1, N2.2.5, N4.6).

    Example: flask --app wsgi lots coverage --as lin --json
    """
    headings = {
        "district_code": "区县", "units": "单位", "excluded_units": "例外单位", "opening_units": "已开放单位",
        "lots": "停车场", "open_lots": "已开放", "total_bays": "总泊位", "promised_bays": "方案共享",
        "open_bays": "已共享",
    }  # fmt: skip
    return Sheet(headings, [vars(each) for each in coverage(by)])


def _counts(counts: Counts) -> dict[str, Any]:
    return {**vars(counts), "bays_percent": counts.bays_percent, "chargers_percent": counts.chargers_percent}


def _told(found: Sequence[Shortfall]) -> list[dict[str, Any]]:
    return [vars(each) for each in found]


def _bays(words: Sequence[str]) -> list[NewBay]:
    """`A001-A020` or `B07`, with `:charging` behind it for another kind; the letters in front are the zone."""
    return [bay for word in words for bay in _bay_range(word)]


def _bay_range(word: str) -> list[NewBay]:
    numbers, _, kind = word.partition(":")
    first, _, last = numbers.partition("-")
    zone, begin = first.rstrip("0123456789"), first[len(first.rstrip("0123456789")) :]
    end = last[len(zone) :] if last else begin
    if not begin or not end.isdigit() or not (not last or last.startswith(zone)) or int(end) < int(begin):
        raise click.UsageError(f"{word} names no bays such as A001-A020 or B07:charging")
    width = len(begin)
    return [NewBay(f"{zone}{n:0{width}d}", zone, kind or "standard") for n in range(int(begin), int(end) + 1)]


def _entrance(word: str) -> NewEntrance:
    try:
        name, latitude, longitude, direction = word.split(",")
        return NewEntrance(name, float(latitude), float(longitude), direction)
    except ValueError:
        raise click.UsageError(f"{word} is no entrance such as 东门,30.25,120.16,both") from None
