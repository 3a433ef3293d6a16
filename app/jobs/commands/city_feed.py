"""The city's feed: how it stands, what was refused, and sending that again."""

import uuid
from dataclasses import asdict

import click

from app.domain.city_feed import actions, queries
from app.domain.staff.rules import Actor
from app.jobs.commands.answers import Answer, Note, Sheet
from app.jobs.commands.door import acting, noun
from app.wiring import wiring

city_feed = noun(
    "What the city's own parking system is told (全市停车信息统一系统).",
    "city-feed status --as lin",
    "city-feed refused --as lin --json",
    "city-feed retry 0197b5c8-... --as lin",
)


@city_feed.command("status")
@acting
def status(by: Actor) -> Answer:
    """Show whether the feed is on, what waits since when, what was refused, and whether the city answers.

    Example: flask --app wsgi city-feed status --as lin --json
    """
    standing = queries.standing(by)
    is_on = wiring().city is not None
    sentence = "未配置全市系统，未上报" if not is_on else "全市系统无应答" if standing.away_since else "上报正常"
    return Note(sentence, on=is_on, **asdict(standing))


@city_feed.command("refused")
@acting
def refused(by: Actor) -> Answer:
    """List what the city refused and nobody has sent again, the oldest first.

    Example: flask --app wsgi city-feed refused --as lin
    """
    rows = [asdict(row) for row in queries.refused_uploads(by)]
    return Sheet({"kind": "类别", "lot_name": "停车场", "code": "返回码", "refused_at": "时间", "key": "编号"}, rows)


@city_feed.command("retry")
@click.argument("upload_key", type=click.UUID)
@acting
def retry(by: Actor, upload_key: uuid.UUID) -> Answer:
    """Send a refused upload (key, see `city-feed refused`) again, its cause having been put right.

    Example: flask --app wsgi city-feed retry 0197b5c8-... --as lin
    """
    actions.retry(by, upload_key)
    return Note("已重新列入上报")
