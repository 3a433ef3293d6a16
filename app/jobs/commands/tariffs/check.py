"""`tariff check`: whether tariffs follow the form and make sense."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from app.domain.pricing.rules.findings import Finding, examine
from app.jobs.commands.answers import Sheet, tell
from app.jobs.commands.tariffs.json_lines import NestedTooDeeply, parse_document, sentence
from app.kernel.refusals import Refusal

HEADINGS = {"file": "文件", "severity": "级别", "where": "位置", "code": "代码", "message": "说明"}
READABLE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("check")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=READABLE)
@click.option("--json", "as_json", is_flag=True, help="one JSON document instead of a table")
def check(files: Sequence[Path], *, as_json: bool) -> None:
    """Check tariffs: their form, bands with gaps or overlaps, and what can never matter.

    FILE holds the parameters of a tariff, a record with `parameters`, or a collection with `tariffs`. Exit code 0: they
    may be used, though warnings may be told; 1: some may not.

    Example: flask --app wsgi tariff check tariffs.json
    """
    found = [(file, finding) for file in files for finding in findings(file.read_bytes())]
    rows = [_row(file, finding) for file, finding in found]
    if rows or as_json:
        tell(Sheet(HEADINGS, rows), as_json=as_json)
    else:
        click.echo("未发现问题")
    sys.exit(1 if any(finding.is_error for _, finding in found) else 0)


def findings(content: bytes) -> list[Finding]:
    """What is wrong or odd about each tariff of a file."""
    try:
        return [finding for where, told in _records(parse_document(content)) for finding in examine(told, where)]
    except RecursionError:
        return [_unreadable(NestedTooDeeply())]
    except Refusal as refusal:
        return [_unreadable(refusal)]


def _unreadable(refusal: Refusal) -> Finding:
    return Finding("$", refusal.code, sentence(refusal), is_error=True)


def _records(document: Any) -> Iterator[tuple[str, Any]]:
    """The parameters that a document holds, each with its JSON path."""
    if not isinstance(document, Mapping):
        yield "$", document
    elif isinstance(document.get("tariffs"), list):
        for place, record in enumerate(document["tariffs"]):
            yield from ((f"$.tariffs[{place}]{where[1:]}", told) for where, told in _records(record))
    elif "parameters" in document:
        yield "$.parameters", document["parameters"]
    else:
        yield "$", document


def _row(file: Path, finding: Finding) -> Mapping[str, Any]:
    severity = "error" if finding.is_error else "warning"
    return {
        "file": str(file), "severity": severity, "where": finding.where, "code": finding.code,
        "message": finding.message,
    }  # fmt: skip
