"""Gates that speak a vendor's dialect: registering them, their secrets, and how their lists stand."""

import json
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import click

from app.domain.gates import actions, queries
from app.domain.gates.actions import NewSecret, NewVendorGate
from app.domain.gates.actions.vendors import VENDORS
from app.domain.gates.models import GateDevice
from app.domain.lots.models import Lot
from app.domain.staff.rules import Actor
from app.jobs.commands.answers import Answer, Note, Sheet
from app.jobs.commands.door import acting, named, noun

gates = noun(
    "Gates that speak a vendor's dialect (第三方道闸设备).",
    "gates register 示例停车场 东门 --profile vz-http --serial 0a1b2c3d-4e5f6071 --direction in --as wang",
    "gates rotate-secret 0197b5c8-0000-7000-8000-000000000000 --overlap-hours 24 --as wang",
    "gates list --as wang",
)
secret_option = click.option(
    "--secret-file", type=click.Path(dir_okay=False, path_type=Path),
    help="new file, for its owner alone, that gets the secret; without it the secret is printed, once",
)  # fmt: skip


@gates.command("register")
@click.argument("lot")
@click.argument("name")
@click.option("--profile", type=click.Choice(sorted(VENDORS)), required=True, help="the dialect it speaks")
@click.option("--serial", required=True, help="the number under which it calls")
@click.option("--direction", type=click.Choice(["in", "out", "both"]), required=True)
@click.option("--lane", default="1", show_default=True)
@click.option("--address", "addresses", multiple=True, help="network from which it calls, such as 198.51.100.7/32")
@click.option("--passage-input", type=int, help="contact that closes when a car has driven through")
@click.option("--web-url", help="where its own list is read back, such as https://192.0.2.7")
@click.option("--app-key", help="the access key that a car-park's own system gave us (isecure)")
@click.option(
    "--app-secret-file", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="file whose first line is the secret of that key",
)  # fmt: skip
@secret_option
@acting
def register(
    by: Actor, lot: str, secret_file: Path | None, app_secret_file: Path | None, **told: object
) -> Answer:  # fmt: skip
    """Register a vendor's gate in a lot (key or name), with its first secret.

    A car-park's own system (isecure) is called at --web-url and knows us by --app-key; its serial is parkSyscode.

    Example: flask --app wsgi gates register 示例停车场 东门 --profile vz-http --serial 0a1b2c3d-4e5f6071
    --direction in --as wang
    """
    app_secret = (app_secret_file.read_text().splitlines() or [""])[0] if app_secret_file else None
    new = NewVendorGate(app_secret=app_secret, **told)  # type: ignore[arg-type]
    key = named(Lot, lot).key
    return _handed_out("设备已登记", secret_file, lambda: actions.register_vendor_gate(by, key, new))


@gates.command("rotate-secret")
@click.argument("gate")
@click.option(
    "--overlap-hours", type=float, default=24.0, show_default=True, help="so long the old one works too; 0: it leaked"
)
@secret_option
@acting
def rotate(by: Actor, gate: str, overlap_hours: float, secret_file: Path | None) -> Answer:
    """Give a vendor's gate (key) a new secret; the old one ends after the overlap.

    Example: flask --app wsgi gates rotate-secret 0197b5c8-0000-7000-8000-000000000000 --overlap-hours 0 --as wang
    """
    key, overlap = named(GateDevice, gate).key, timedelta(hours=overlap_hours)
    return _handed_out("新密钥已启用", secret_file, lambda: actions.rotate_secret(by, key, overlap))


@gates.command("switch-off")
@click.argument("gate")
@acting
def switch_off(by: Actor, gate: str) -> Answer:
    """Refuse all that a vendor's gate (key) sends.

    Example: flask --app wsgi gates switch-off 0197b5c8-0000-7000-8000-000000000000 --as wang
    """
    actions.switch_gate(by, named(GateDevice, gate).key, on=False)
    return Note("设备已停用")


@gates.command("switch-on")
@click.argument("gate")
@acting
def switch_on(by: Actor, gate: str) -> Answer:
    """Hear a vendor's gate (key) again.

    Example: flask --app wsgi gates switch-on 0197b5c8-0000-7000-8000-000000000000 --as wang
    """
    actions.switch_gate(by, named(GateDevice, gate).key, on=True)
    return Note("设备已启用")


@gates.command("list")
@acting
def list_gates(by: Actor) -> Answer:
    """List gates, when they were last heard of, and whether their lists are proved.

    Example: flask --app wsgi gates list --as wang --json
    """
    headings = {
        "lot": "停车场", "name": "设备", "profile": "协议", "direction": "方向", "enabled": "启用",
        "seen_at": "最近通信", "desired_version": "应有名单版本", "acked_version": "已核实名单版本", "key": "编号",
    }  # fmt: skip
    return Sheet(headings, [vars(shown) for shown in queries.list_gates(by)])


def _handed_out(sentence: str, file: Path | None, make: Callable[[], NewSecret]) -> Answer:
    """Make a secret and hand it out, this once; the file is there before the secret is, so that none gets lost."""
    if file is None:
        return Note(f"{sentence}，密钥只显示这一次", **_told(make()))
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
    return Note(sentence, gate=made.gate, key_id=made.key_id, secret_file=file)


def _told(made: NewSecret) -> dict[str, str]:
    return {"gate": str(made.gate), "key_id": made.key_id, "path": f"/camera/v1/{made.gate}/{made.secret}"}
