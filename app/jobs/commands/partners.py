"""Partners: registering them, their keys, and what their systems propose."""

import json
import os
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import click

from app.domain.partners import actions, queries
from app.domain.partners.actions import NewKey
from app.domain.partners.models import Partner
from app.domain.staff.rules import Actor
from app.domain.units.models import Operator, Unit
from app.jobs.commands.answers import Answer, Note, Sheet
from app.jobs.commands.door import acting, named, noun

partners = noun(
    "Units' and operators' own systems (接入方) that speak at /partner/v1.",
    "partners register 示例单位停车系统 --unit 示例单位 --secret-file key.json --as lin",
    "partners rotate-key 示例单位停车系统 --overlap-hours 24 --secret-file key.json --as lin",
    "partners proposals --as wang",
)
secret_option = click.option(
    "--secret-file", type=click.Path(dir_okay=False, path_type=Path),
    help="new file, for its owner alone, that gets the key; without it the secret is printed, once",
)  # fmt: skip


@partners.command("register")
@click.argument("name")
@click.option("--unit", help="the unit whose lots it speaks for (key or name)")
@click.option("--operator", help="the operator whose lots under agreement it speaks for (key or name)")
@secret_option
@acting
def register(by: Actor, name: str, unit: str | None, operator: str | None, secret_file: Path | None) -> Answer:
    """Register a partner for one unit or one operator, with its first key.

    Example: flask --app wsgi partners register 示例单位停车系统 --unit 示例单位 --as lin
    """
    unit_key = named(Unit, unit).key if unit else None
    operator_key = named(Operator, operator).key if operator else None
    return _handed_out(
        "接入方已登记", secret_file, lambda: actions.register(by, name, unit=unit_key, operator=operator_key)
    )


@partners.command("rotate-key")
@click.argument("partner")
@click.option(
    "--overlap-hours", type=float, default=24.0, show_default=True, help="so long the old key works too; 0: it leaked"
)
@secret_option
@acting
def rotate_key(by: Actor, partner: str, overlap_hours: float, secret_file: Path | None) -> Answer:
    """Give a partner (key or name) a new key; the old one ends after the overlap.

    Example: flask --app wsgi partners rotate-key 示例单位停车系统 --overlap-hours 0 --as lin
    """
    key, overlap = named(Partner, partner).key, timedelta(hours=overlap_hours)
    return _handed_out("新密钥已启用", secret_file, lambda: actions.rotate_key(by, key, overlap))


@partners.command("revoke")
@click.argument("partner")
@click.argument("because")
@acting
def revoke(by: Actor, partner: str, because: str) -> Answer:
    """Believe nothing of a partner (key or name) any more, for good, with a reason.

    Example: flask --app wsgi partners revoke 示例单位停车系统 合同终止 --as lin
    """
    actions.revoke(by, named(Partner, partner).key, because)
    return Note("接入方已停用")


@partners.command("list")
@acting
def list_partners(by: Actor) -> Answer:
    """List partners, whose they are, and when news of theirs last took effect.

    Example: flask --app wsgi partners list --as lin --json
    """
    rows = [
        {
            "name": shown.partner.name,
            "owner": shown.owner,
            "lots": shown.lots,
            "heard_at": shown.heard_at,
            "refusals": shown.refusals,
            "revoked_at": shown.partner.revoked_at,
            "key": shown.partner.key,
        }
        for shown in queries.list_partners(by)
    ]
    headings = {
        "name": "接入方", "owner": "所属单位", "lots": "已接入停车场", "heard_at": "最近有效数据",
        "refusals": "近24小时拒收", "revoked_at": "停用时间", "key": "编号",
    }  # fmt: skip
    return Sheet(headings, rows)


@partners.command("proposals")
@acting
def proposals(by: Actor) -> Answer:
    """List what partners would change in lots' descriptions and nobody has decided on.

    Example: flask --app wsgi partners proposals --as wang
    """
    rows = [
        {
            "key": shown.proposal.key,
            "lot": shown.lot.name,
            "partner": shown.partner.name,
            "found": shown.proposal.found,
            "proposed": shown.proposal.proposed,
            "proposed_at": shown.proposal.proposed_at,
        }
        for shown in queries.list_proposals(by)
    ]
    headings = {
        "key": "编号", "lot": "停车场", "partner": "接入方", "found": "现登记", "proposed": "建议改为",
        "proposed_at": "提出时间",
    }  # fmt: skip
    return Sheet(headings, rows)


@partners.command("accept-proposal")
@click.argument("proposal", type=click.UUID)
@click.argument("because")
@acting
def accept_proposal(by: Actor, proposal: uuid.UUID, because: str) -> Answer:
    """Let a proposal (by its key) become the lot's approved description, with a reason.

    Example: flask --app wsgi partners accept-proposal 0197b5c8-0000-7000-8000-000000000000 已现场核实 --as wang
    """
    actions.accept_proposal(by, proposal, because)
    return Note("变更建议已采纳")


@partners.command("decline-proposal")
@click.argument("proposal", type=click.UUID)
@click.argument("because")
@acting
def decline_proposal(by: Actor, proposal: uuid.UUID, because: str) -> Answer:
    """Leave the lot as it is, with a reason.

    Example: flask --app wsgi partners decline-proposal 0197b5c8-0000-7000-8000-000000000000 与现场不符 --as wang
    """
    actions.decline_proposal(by, proposal, because)
    return Note("变更建议未采纳")


def _handed_out(sentence: str, file: Path | None, make: Callable[[], NewKey]) -> Answer:
    """Make a key and hand its secret out, this once; the file is there before the key is, so that none gets lost."""
    if file is None:
        made = make()
        return Note(f"{sentence}，密钥只显示这一次", **_told(made))
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as wrong:
        raise click.UsageError(f"cannot make {file}: {wrong.strerror}") from wrong
    with os.fdopen(handle, "w") as out:
        try:
            made = make()
        except BaseException:
            file.unlink()
            raise
        out.write(json.dumps(_told(made)) + "\n")
    return Note(sentence, partner=made.partner, key_id=made.key_id, secret_file=file)


def _told(made: NewKey) -> dict[str, str]:
    return {"partner": str(made.partner), "key_id": made.key_id, "secret": made.secret.hex()}
