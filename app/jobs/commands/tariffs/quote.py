"""`tariff quote`: what stays cost, a JSON line in, a JSON line out."""

import sys
from collections.abc import Iterable, Mapping
from typing import Any, BinaryIO

import click
import structlog

from app.domain.pricing.rules import Line, Quote
from app.domain.pricing.rules.wording import POLICY_TEXT
from app.jobs.commands.answers import plain
from app.jobs.commands.tariffs.json_lines import NestedTooDeeply, encode, error, lines, parse
from app.jobs.commands.tariffs.stays import Stay
from app.kernel.refusals import Invalid, Refusal
from app.web import logs

log = structlog.get_logger("jobs.tariffs")


class Fault(Invalid):
    """The program is at fault, not the line; stderr tells more."""

    code = "internal_error"
    message = "程序内部错误，该行未能计价"


@click.command("quote")
def quote() -> None:
    """Price stays: JSON lines on stdin, one JSON line on stdout for each, in order and at once.

    In: {"tariff": <parameters>, "entry", "exit"}, and where they matter vehicle_class, day_classes, prior_stays,
    booked_end, waiver, payment_channel, charging_ended, moved_away. Out: {"fee_fen", "payable_fen", "lines"}, or
    {"error": {"code", "message"}}. No line stops it, and it exits 0; logs go to stderr. docs/tariffs.md has the form.

    Example: flask --app wsgi tariff quote < stays.jsonl
    """
    logs.to_stderr()
    answer_all(sys.stdin.buffer, sys.stdout.buffer)


def answer_all(stdin: BinaryIO, stdout: BinaryIO) -> None:
    """One line out for each line in; the other end may wait for each before it sends the next."""
    for line in lines(stdin):
        stdout.write(encode(answer(line)))
        stdout.flush()


def answer(line: bytes) -> Mapping[str, Any]:
    """The price of one line, or what is wrong with it."""
    try:
        return _priced(Stay.read(parse(line)))
    except Refusal as refusal:
        return error(refusal)
    except RecursionError:
        return error(NestedTooDeeply())
    except Exception:
        log.exception("a line could not be priced")
        return error(Fault())


def _priced(stay: Stay) -> Mapping[str, Any]:
    quoted, occupancy = stay.quote(), stay.occupancy()
    told = {"fee_fen": quoted.total_fen, "payable_fen": quoted.payable_fen, "lines": _explained(quoted)}
    if occupancy is None:
        return told
    return {**told, "occupancy": {"fee_fen": occupancy.total_fen, "lines": _lines(occupancy.lines)}}


def _explained(quoted: Quote) -> list[Any]:
    """The lines, and last the named choice of how a stay that crosses bands is counted, which costs nothing."""
    policy = quoted.boundary_policy
    choice = Line("boundary_policy", quoted.entry, quoted.exit, None, None, 0, POLICY_TEXT[policy])
    return _lines([*quoted.lines, choice])


def _lines(told: Iterable[Line]) -> list[Any]:
    return [plain(vars(line)) for line in told]
