"""The register of government-priced lots and zones: proposed by one price officer, approved by another."""

import json
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from app.domain.pricing import actions
from app.domain.pricing.models import ReferenceLot, TariffVersion
from app.domain.pricing.queries.register import ReferenceView, reference_document, references
from app.domain.staff.queries import logins
from app.domain.staff.rules import Actor
from app.jobs.commands.answers import Answer, Note, Sheet, tell
from app.jobs.commands.door import MOMENT, PAPER, acting, named, noun
from app.jobs.commands.importing import faults_sheet, progress
from app.jobs.importing.references import REFERENCES, import_references
from app.kernel.files import Paper
from app.kernel.spans import span

reference_lots = noun(
    "Reference lots (周围政府定价管理停车场) and zones' standard tariffs, which bound the fees of shared lots (N3.3).",
    "reference-lots tariff 示例标准 tariff.json --document 示例价〔2026〕1号 --as lin",
    "reference-lots propose 示例路泊位 --approval 示例价〔2026〕1号 --point 30.25 120.15 --tariff 示例标准 "
    "--from 2026-01-01 --paper 批复.pdf --as lin",
    "reference-lots import 参照停车场.xlsx --paper 批复.pdf --dry-run --as lin",
    "reference-lots approve --all --as wang",
)
STATES = {"proposed": "待审批", "approved": "已批准", "declined": "未批准", "superseded": "已更正"}
KINDS = {"lot": "停车场", "zone": "价区"}
HEADINGS = {
    "name": "名称", "kind_text": "类别", "version": "版本", "approval": "批准文号", "tariff": "收费标准",
    "begins_at": "起", "ends_at": "止", "state_text": "状态", "proposed_by": "提出人", "decided_by": "审批人",
    "key": "编号",
}  # fmt: skip
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def told(command: Any) -> Any:
    """The options that say what a document says of a reference."""
    for option in reversed(
        (
            click.option("--approval", required=True, help="approval number (批准文号)"),
            click.option("--tariff", required=True, help="stored tariff (key or name)"),
            click.option("--point", type=(float, float), help="GCJ-02 latitude and longitude of a lot"),
            click.option("--outline", type=FILE, help="JSON file: corners [[latitude, longitude], ...] of a zone"),
            click.option("--from", "begins_at", type=MOMENT, required=True, help="since when, in Hangzhou"),
            click.option("--until", "ends_at", type=MOMENT, help="until when; else without end"),
        )
    ):
        command = option(command)
    return command


def _read(name: str, said: dict[str, Any]) -> actions.NewReference:
    outline: Path | None = said.pop("outline")
    corners = tuple((north, east) for north, east in json.loads(outline.read_text())) if outline else ()
    valid = span(said.pop("begins_at"), said.pop("ends_at"))
    tariff = named(TariffVersion, said.pop("tariff"))
    return actions.NewReference(name, said.pop("approval"), tariff.id, valid, said.pop("point"), corners)


@reference_lots.command("list")
@click.option("--state", type=click.Choice(list(STATES)))
@click.option("--name", help="all versions of one reference")
@acting
def list_references(by: Actor, state: str | None, name: str | None) -> Answer:
    """List the register: every version with its document's hash (JSON), who proposed and who decided.

    Example: flask --app wsgi reference-lots list --state proposed --as lin --json
    """
    rows = references(by, state=state, name=name)
    known = logins([each for row in rows for each in (row.proposed_by, row.decided_by) if each is not None])
    return Sheet(HEADINGS, [_row(row, known) for row in rows])


def _row(row: ReferenceView, known: dict[int, str]) -> dict[str, Any]:
    people = {"proposed_by": known.get(row.proposed_by or 0), "decided_by": known.get(row.decided_by or 0)}
    return {**vars(row), **people, "kind_text": KINDS[row.kind], "state_text": STATES[row.state]}


@reference_lots.command("document")
@click.argument("version", type=click.UUID)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@acting
def document(by: Actor, version: uuid.UUID, file: Path) -> Answer:
    """Write the document on which a version rests to a file.

    Example: flask --app wsgi reference-lots document VERSION 批复.pdf --as lin
    """
    kept = reference_document(by, version)
    file.write_bytes(kept.content)
    return Note("文件已写出", file=file, name=kept.name, sha256=kept.sha256.hex())


@reference_lots.command("tariff")
@click.argument("name")
@click.argument("file", type=FILE)
@click.option("--document", required=True, help="the document that the tariff stands in")
@acting
def tariff(by: Actor, name: str, file: Path, document: str) -> Answer:
    """Store a tariff from a JSON file (docs/tariffs.md), for ever, under a name of its own.

    Example: flask --app wsgi reference-lots tariff 示例标准 tariff.json --document 示例价〔2026〕1号 --as lin
    """
    row = actions.enter_tariff(by, name, document, parameters_in(file))
    return Note("收费标准已入库", key=row.key, name=row.name)


def parameters_in(file: Path) -> dict[str, Any]:
    """The parameters of a tariff in a JSON file, by themselves or beside the words of their publication."""
    try:
        read = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise click.UsageError(f"{file} is no JSON: {error}") from None
    if not isinstance(read, dict):
        raise click.UsageError(f"{file} holds no JSON object")
    inner = read.get("parameters", read)
    return inner if isinstance(inner, dict) else read


@reference_lots.command("propose")
@click.argument("name")
@told
@click.option("--paper", type=PAPER, required=True, help="the document, PDF or image")
@acting
def propose(by: Actor, name: str, paper: Paper, **said: Any) -> Answer:
    """Propose a reference that the register does not hold yet; another officer approves it.

    Example: flask --app wsgi reference-lots propose 示例路泊位 --approval 示例价〔2026〕1号 --point 30.25 120.15
    --tariff 示例标准 --from 2026-01-01 --paper 批复.pdf --as lin
    """
    return _proposed(actions.propose_reference(by, _read(name, said), paper).key)


@reference_lots.command("change")
@click.argument("reference")
@told
@click.option("--paper", type=PAPER, required=True, help="the new document, PDF or image")
@acting
def change(by: Actor, reference: str, paper: Paper, **said: Any) -> Answer:
    """Propose what holds of a reference (key or name) from a date on, by a new document.

    Example: flask --app wsgi reference-lots change 示例路泊位 --approval 示例价〔2027〕1号 --point 30.25 120.15
    --tariff 新标准 --from 2027-01-01 --paper 新批复.pdf --as lin
    """
    row = named(ReferenceLot, reference)
    return _proposed(actions.change_reference(by, row.key, _read(row.name, said), paper).key)


@reference_lots.command("correct")
@click.argument("version", type=click.UUID)
@told
@click.option("--why", required=True, help="what was wrong, or why it ends")
@click.option("--paper", type=PAPER, help="a new document; else it rests on the same one")
@acting
def correct(by: Actor, version: uuid.UUID, why: str, paper: Paper | None, **said: Any) -> Answer:
    """Propose an approved version anew: it was written down wrongly, or ends.

    Example: flask --app wsgi reference-lots correct VERSION --approval 示例价〔2026〕1号 --point 30.251 120.15
    --tariff 示例标准 --from 2026-01-01 --why 坐标有误 --as lin
    """
    return _proposed(actions.correct_reference(by, version, _read("", said), why, paper).key)


def _proposed(key: uuid.UUID) -> Note:
    return Note("已提出，待另一名价格管理人员审批", key=key)


@reference_lots.command("approve")
@click.argument("versions", nargs=-1, type=click.UUID)
@click.option("--all", "every", is_flag=True, help="everything that waits and was not proposed by yourself")
@click.option("--because", default="", help="a remark that stays with it")
@acting
def approve(by: Actor, versions: Sequence[uuid.UUID], because: str, *, every: bool) -> Answer:
    """Approve proposed versions, one after the other; lots that they bound are proved again.

    Example: flask --app wsgi reference-lots approve VERSION --as wang
    """
    if bool(versions) == every:
        raise click.UsageError("name versions, or --all")
    waiting = [row.key for row in references(by, state="proposed") if row.proposed_by != by.account_id]
    done = [actions.approve_reference(by, each, because).key for each in (waiting if every else versions)]
    return Note("参照已批准", count=len(done))


@reference_lots.command("decline")
@click.argument("version", type=click.UUID)
@click.option("--because", required=True)
@acting
def decline(by: Actor, version: uuid.UUID, because: str) -> Answer:
    """Turn a proposed version down, with a reason.

    Example: flask --app wsgi reference-lots decline VERSION --because 文号不符 --as wang
    """
    actions.decline_reference(by, version, because)
    return Note("参照未获批准")


@reference_lots.command("template")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def template(file: Path) -> None:
    """Write an empty workbook to fill in, with a page that explains its columns.

    Example: flask --app wsgi reference-lots template 参照停车场.xlsx
    """
    from app.jobs.importing.template import write_template  # noqa: PLC0415 - only this command writes workbooks

    write_template(file, [REFERENCES])
    click.echo(f"模板已写入 {file}")


@reference_lots.command("import")
@click.argument("file", type=FILE)
@click.option("--paper", type=PAPER, required=True, help="the document on which all rows rest, PDF or image")
@click.option("--dry-run", is_flag=True, help="check everything and propose nothing")
@acting
def import_file(by: Actor, file: Path, paper: Paper, *, dry_run: bool) -> Answer:
    """Propose what an xlsx, or a CSV file named 参照停车场.csv, tells; all or nothing, safe to repeat.

    Every fault is told with sheet, row and column, and then nothing is written and the exit code is 1.

    Example: flask --app wsgi reference-lots import 参照停车场.xlsx --paper 批复.pdf --as lin
    """
    with progress() as tick:
        report = import_references(by, [file], paper, dry_run=dry_run, tick=tick)
    if report.faults:
        tell(faults_sheet(report), as_json=click.get_current_context().params["wants_json"])
        click.echo(f"共 {report.faults.count} 处问题，没有写入任何内容", err=True)
        raise click.exceptions.Exit(1)
    counted = {
        sheet: {"新增": each.new, "变更": each.changed, "未变": each.same} for sheet, each in report.counts.items()
    }
    return Note("检查通过，没有写入" if dry_run else "已提出，待另一名价格管理人员审批", **counted)
