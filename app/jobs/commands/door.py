"""The door of the commands: who is acting, how a refusal is told, and the words that name moments and things."""

import functools
import os
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeVar

import click
from flask.cli import AppGroup
from sqlalchemy import or_, select

from app.domain.staff.actions import sign_in
from app.domain.staff.rules import Actor
from app.domain.units.models import District
from app.jobs.commands.answers import Answer, Lines, Note, Sheet, plain, tell
from app.kernel import audit
from app.kernel.base import Base
from app.kernel.clock import SHANGHAI
from app.kernel.db import transaction
from app.kernel.files import LARGEST, Paper, StoredFile
from app.kernel.refusals import Conflict, NotFound, Refusal

PROGRAM = "flask --app wsgi"
View = Callable[..., Answer]
WORKBOOK: Final = "xlsx"
FORMS: Final = ("table", "json", WORKBOOK)
KEPT: Final = {
    "file_name": "文件名", "media_type": "类型", "size": "字节数", "sha256": "SHA-256", "stored_at": "存档时间",
}  # fmt: skip
"""How the columns of a kept paper are called (`app/kernel/files.py`)."""
Row = TypeVar("Row", bound=Base)
Told = TypeVar("Told", Sheet, Note, Answer, Lines)


class AmbiguousName(Conflict):
    """Several things have this name: the key names one of them."""

    code = "ambiguous_name"
    message = "有多个同名对象，请改用编号"


class RowsLeftOut(Conflict):
    """More rows fit than the limit lets out: a workbook that looks whole and is not would be believed."""

    code = "rows_left_out"
    message = "符合条件的行数超过上限，请缩小范围或调大 --limit"


def noun(told: str, *examples: str) -> AppGroup:
    """A noun whose verbs are commands; the examples (without `flask --app wsgi`) end its `--help`."""
    lines = "\n".join(f"  {PROGRAM} {each}" for each in examples)
    return AppGroup(help=f"{told}\n\n\b\nExamples:\n{lines}" if examples else told)


def acting(view: View) -> Callable[..., None]:
    """A command for somebody with an account, handed to the view as its first argument `by: Actor`.

    Adds `--as`, `--password-file` and `--json`. The person signs in before the view runs, in transactions of its own;
    the answer is told as `telling` says. Without a password file or GONGBO_PASSWORD the terminal asks.
    """
    return as_option(password_option(telling(_signed_in(view))))


def looking(view: View) -> Callable[..., None]:
    """`acting`, for what tells of payments or of persons: who looked at how much is written down before it is shown."""
    return acting(_looked(view))


def handing_out(view: Callable[..., Lines]) -> Callable[..., None]:
    """A look (`looking`) at lines that are printed, told to a program, or written to a workbook.

    Adds `--format` and `--output` instead of `--json`. A workbook with lines left out is refused (`RowsLeftOut`); what
    is printed ends at the limit.
    """
    return as_option(password_option(_leaving(_signed_in(_looked(_whole(view))))))


def telling(view: View) -> Callable[..., None]:
    """A command that tells its answer as a table, or as one JSON document with `--json`.

    A refusal goes to stderr as `code: message {details}`, exit code 1; any other error is a fault and shows itself.
    """

    @functools.wraps(view)
    def told(*, wants_json: bool, **words: Any) -> None:
        with refusals_told():
            answer = view(**words)
        tell(answer, as_json=wants_json)

    return click.option("--json", "wants_json", is_flag=True, help="one JSON document instead of a table")(told)


def _leaving(view: Callable[..., Lines]) -> Callable[..., None]:
    """A command whose lines leave in one of `FORMS`."""

    @functools.wraps(view)
    def left(*, form: str, output: Path | None, **words: Any) -> None:
        if (form == WORKBOOK) != (output is not None):
            raise click.UsageError(f"--format {WORKBOOK} and --output FILE go together")
        with refusals_told():
            lines = view(**words)
        tell(_out(lines, form, output), as_json=form == "json")

    return _form_option(_output_option(left))


def _out(lines: Lines, form: str, output: Path | None) -> Answer:
    """What is told of the lines: themselves, or where they were written."""
    if output is None:
        return lines.sheet(as_yuan=form == "table")
    from app.jobs.workbooks import write  # noqa: PLC0415 - whoever prints need not wait for it

    write(output, lines)
    return Note(f"{lines.title}已写出", file=str(output), rows=lines.shown)


def _signed_in(view: Callable[..., Told]) -> Callable[..., Told]:
    @functools.wraps(view)
    def signed_in(*, acting_as: str, password_file: Path | None, **words: Any) -> Told:
        return view(sign_in(acting_as, password_of(acting_as, password_file)), **words)

    return signed_in


def _looked(view: Callable[..., Told]) -> Callable[..., Told]:
    @functools.wraps(view)
    def looked(by: Actor, **words: Any) -> Told:
        answer = view(by, **words)
        _write_down(by, answer.shown)
        return answer

    return looked


def _whole(view: Callable[..., Lines]) -> Callable[..., Lines]:
    @functools.wraps(view)
    def whole(by: Actor, **words: Any) -> Lines:
        lines = view(by, **words)
        if _form() == WORKBOOK and lines.shown < len(lines.rows):
            raise RowsLeftOut(limit=lines.limit)
        return lines

    return whole


def _write_down(by: Actor, rows: int) -> None:
    """Who looked by which command, in which form, at how many rows."""
    context = click.get_current_context()
    room = str(context.parent.info_name).replace("-", "_") if context.parent else ""
    with transaction():
        told = {"command": context.info_name, "form": _form(), "rows": rows}
        audit.record(f"{room}.look", "staff_account", by.account_id, by.label, told)


def _form() -> str:
    """In which form the running command tells its answer."""
    asked = click.get_current_context().params
    return "json" if asked.get("wants_json") else asked.get("form", "table")


to_option = click.option(
    "--to", type=click.Path(dir_okay=False, path_type=Path), required=True, help="the file to write"
)
_form_option = click.option("--format", "form", type=click.Choice(FORMS), default="table", show_default=True)
_output_option = click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), help=f"the file to write; needed by {WORKBOOK}"
)
as_option = click.option(
    "--as", "acting_as", required=True, envvar="GONGBO_AS", show_envvar=True, help="login of who is acting"
)
password_option = click.option(
    "--password-file", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="file whose first line is the password; else GONGBO_PASSWORD, else the terminal asks",
)  # fmt: skip


def password_of(account: str, file: Path | None, variable: str = "GONGBO_PASSWORD") -> str:
    """The password from the file, the environment or a hidden question at the terminal, never from an argument."""
    if file is not None:
        return (file.read_text().splitlines() or [""])[0]
    if variable in os.environ:
        return os.environ[variable]
    if sys.stdin.isatty():
        return str(click.prompt(f"{account} 的密码", hide_input=True, err=True))
    raise click.UsageError(f"no password: give a file, set {variable}, or ask at a terminal")


@contextmanager
def for_me_alone(path: Path) -> Iterator[BinaryIO]:
    """A new file that whoever acts alone can read, and which is there only when all of it was written.

    What lay in its place is replaced, be it a link or somebody else's.
    """
    draft = path.with_name(f".{path.name}.draft")
    draft.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as file:
            yield file
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def written_out(kept: StoredFile, to: Path) -> Answer:
    """A kept paper, written to a file for whoever acts alone; the answer has its hash."""
    with for_me_alone(to) as file:
        file.write(kept.content)
    return Note("存档文件已写出", file=str(to), sha256=kept.sha256.hex())


@contextmanager
def refusals_told() -> Iterator[None]:
    """A refusal ends the command: its code, Chinese sentence and details on stderr, exit code 1."""
    try:
        yield
    except Refusal as refusal:
        details = f" {plain(refusal.details)}" if refusal.details else ""
        click.echo(f"{refusal.code}: {refusal.message}{details}", err=True)
        raise click.exceptions.Exit(1) from refusal


def named(model: type[Row], text: str, *columns: str) -> Row:
    """The row that a word on the command line means: its public key, or its unique name (`columns`, else `name`).

    Whether the person acting may see it is for the action to say. Refuses `NotFound` and `AmbiguousName`.
    """
    table: Any = model
    key = _key(text)
    is_it = [getattr(table, column) == text for column in columns or ("name",)]
    with transaction() as session:
        rows = session.scalars(select(table).where(table.key == key if key else or_(*is_it)).limit(2)).all()
    if not rows:
        raise NotFound(name=text)
    if len(rows) > 1:
        raise AmbiguousName(name=text)
    found: Row = rows[0]
    return found


def district_code(text: str) -> str:
    """The code of a district that is named; a code stays as it is, and the action says whether there is such a one."""
    with transaction() as session:
        found = session.query(District.code).filter_by(name=text).scalar()
        return str(found) if found else text


def _key(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


class MomentType(click.ParamType[datetime]):
    """`2026-06-10 20:00` on the clocks of Hangzhou, or ISO 8601 with an offset; an aware datetime."""

    name = "moment"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value} is no moment such as '2026-06-10 20:00'", param, ctx)
        return moment if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)


class DayType(click.ParamType[date]):
    """`2026-06-10`."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        try:
            return value if isinstance(value, date) else date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value} is no day such as 2026-06-10", param, ctx)


class ClockType(click.ParamType[time]):
    """`17:30`."""

    name = "clock"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> time:
        try:
            return value if isinstance(value, time) else time.fromisoformat(value)
        except ValueError:
            self.fail(f"{value} is no time of day such as 17:30", param, ctx)


class PaperType(click.ParamType[Paper]):
    """A file of this machine, read no further than a byte beyond what is kept."""

    name = "file"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Paper:
        if isinstance(value, Paper):
            return value
        try:
            with Path(value).open("rb") as file:
                return Paper(file.read(LARGEST + 1), Path(value).name)
        except OSError as error:
            self.fail(f"{value} cannot be read: {error.strerror}", param, ctx)


class MonthType(click.ParamType[date]):
    """`2026-06`: the first day of that month."""

    name = "month"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        try:
            return datetime.strptime(value, "%Y-%m").date()  # noqa: DTZ007 - a month has no zone
        except ValueError:
            self.fail(f"{value} is no month such as 2026-06", param, ctx)


MOMENT, DAY, MONTH, CLOCK, PAPER = MomentType(), DayType(), MonthType(), ClockType(), PaperType()
because_option = click.option("--because", required=True, help="why, without personal data")
