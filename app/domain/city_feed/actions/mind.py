"""Minding the feed: an alarm when it falls behind, and a second chance for what was refused."""

import uuid
from datetime import timedelta

from sqlalchemy import select

from app.domain.city_feed.models import CityUpload
from app.domain.city_feed.queries import LINE, stands
from app.domain.city_feed.rules import UPLOAD
from app.domain.policies.queries import numbers
from app.domain.staff.rules import CITY, Actor, permit
from app.domain.tasks.actions import open_task
from app.kernel import audit, clock
from app.kernel.db import transaction
from app.kernel.refusals import NotFound


class UploadNotFound(NotFound):
    """There is no such upload."""

    code = "upload_not_found"
    message = "未找到该上报记录"


def alarm() -> int:
    """Ask a person to look when the oldest upload waits longer than `city_feed_lag_minutes`; returns how many wait."""
    with transaction():
        now = stands()
        longest = timedelta(minutes=numbers()["city_feed_lag_minutes"])
        if now.oldest_due_at is None or now.oldest_due_at >= clock.now() - longest:
            return 0
        open_task("city_feed_behind", "city_line", LINE, {"due": now.due})
        return now.due


def retry(by: Actor, key: uuid.UUID) -> None:
    """Let a refused upload be sent again, its cause having been put right.

    Refuses `NotPermitted`, `UploadNotFound`, `WrongState` (it was not refused).
    """
    with transaction() as session:
        permit(by, "city_feed.retry", CITY)
        upload = session.scalars(select(CityUpload).where(CityUpload.key == key).with_for_update()).one_or_none()
        if upload is None:
            raise UploadNotFound
        UPLOAD.move(upload, "retry", by.label, ended_at=None, next_check_at=clock.now())
        audit.record("city_feed.retry", "city_upload", upload.id, by.label)
