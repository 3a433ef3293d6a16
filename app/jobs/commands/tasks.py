"""What waits for a person: listed, taken, closed."""

import uuid

import click

from app.domain.staff.rules import Actor
from app.domain.tasks import actions, queries
from app.jobs.commands.answers import Answer, Note, Sheet
from app.jobs.commands.door import acting, noun

tasks = noun(
    "What waits for a person (待办): reviews, alarms and exceptions within your scopes.",
    "tasks list --as wang",
    "tasks take 0197b5c8-0000-7000-8000-000000000000 --as wang",
    "tasks close 0197b5c8-0000-7000-8000-000000000000 已核实并更正 --as wang",
)
HEADINGS = {
    "key": "编号", "kind": "事项", "subject": "对象", "subject_id": "对象编号", "due_at": "期限", "is_late": "已逾期",
    "owner": "领取人", "opened_at": "提出时间", "detail": "说明", "outcome": "结果",
}  # fmt: skip


@tasks.command("list")
@click.option("--mine", is_flag=True, help="only what I have taken")
@click.option("--closed", is_flag=True, help="the closed ones instead of the open ones, the latest first")
@click.option("--kind", help="only this kind, such as calendar_ends")
@click.option("--limit", type=click.IntRange(1, 10_000), default=queries.PAGE, show_default=True)
@acting
def list_tasks(by: Actor, *, mine: bool, closed: bool, kind: str | None, limit: int) -> Answer:
    """List open tasks, what is due first on top.

    Example: flask --app wsgi tasks list --mine --as wang
    """
    found = queries.tasks(by, mine=mine, closed=closed, kind=kind, limit=limit)
    return Sheet(HEADINGS, [vars(task) for task in found])


@tasks.command("take")
@click.argument("task_key", type=click.UUID)
@acting
def take(by: Actor, task_key: uuid.UUID) -> Answer:
    """Take a task up, by its key.

    Example: flask --app wsgi tasks take 0197b5c8-0000-7000-8000-000000000000 --as wang
    """
    actions.take(by, task_key)
    return Note("待办已领取")


@tasks.command("close")
@click.argument("task_key", type=click.UUID)
@click.argument("outcome")
@acting
def close(by: Actor, task_key: uuid.UUID, outcome: str) -> Answer:
    """Close a task with a sentence on what came of it (no phones, no plates).

    Example: flask --app wsgi tasks close 0197b5c8-0000-7000-8000-000000000000 已核实并更正 --as wang
    """
    actions.close_task(by, task_key, outcome)
    return Note("待办已办结")
