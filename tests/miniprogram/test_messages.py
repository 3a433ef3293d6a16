import uuid

import pytest
from sqlalchemy import select

from app.domain.messages.actions import tell
from app.domain.messages.models import Message
from app.domain.motorists.models import Motorist
from app.kernel.db import transaction
from tests.miniprogram.stand import Phone


@pytest.fixture
def owner(motorist: Phone) -> int:
    """Id of the motorist who holds the phone."""
    with transaction() as session:
        return session.scalars(select(Motorist.id)).one()


def test_the_newest_message_stands_first_and_is_unread(motorist: Phone, owner: int) -> None:
    tell(owner, "test", "lot:1", "停车场临时关闭", "示例停车场今晚关闭")
    tell(owner, "test", "lot:2", "停车场恢复开放", "示例停车场恢复开放")
    page = motorist.get("/messages")
    assert [each["title"] for each in page["items"]] == ["停车场恢复开放", "停车场临时关闭"]
    assert page["unread"] == 2
    assert page["items"][0]["read_at"] is None


def test_telling_again_about_the_same_subject_is_the_same_message(motorist: Phone, owner: int) -> None:
    first = tell(owner, "test", "lot:1", "停车场临时关闭", "示例停车场今晚关闭")
    assert tell(owner, "test", "lot:1", "别的标题", "别的内容").id == first.id
    assert len(motorist.get("/messages")["items"]) == 1


def test_a_message_is_read_once_and_the_first_reading_counts(motorist: Phone, owner: int) -> None:
    key = tell(owner, "test", "lot:1", "停车场临时关闭", "示例停车场今晚关闭").key
    first = motorist.put(f"/messages/{key}/reading", None)
    assert first["read_at"] is not None
    assert motorist.put(f"/messages/{key}/reading", None) == first
    assert motorist.get("/messages")["unread"] == 0


def test_all_messages_are_read_at_once(motorist: Phone, owner: int) -> None:
    for number in range(3):
        tell(owner, "test", f"lot:{number}", "停车场临时关闭", "示例停车场今晚关闭")
    assert motorist.put("/messages/reading", None) == {"read": 3}
    assert motorist.put("/messages/reading", None) == {"read": 0}


def test_nobody_sees_or_reads_anothers_message(motorist: Phone, owner: int, stranger: Phone) -> None:
    key = tell(owner, "test", "lot:1", "停车场临时关闭", "示例停车场今晚关闭").key
    assert stranger.get("/messages") == {"items": [], "next_cursor": None, "unread": 0}
    assert stranger.put(f"/messages/{key}/reading", None, expect=404)["code"] == "message_not_found"
    with transaction() as session:
        assert session.scalars(select(Message)).one().read_at is None


def test_a_message_that_is_none_is_not_found(motorist: Phone) -> None:
    assert motorist.put(f"/messages/{uuid.uuid4()}/reading", None, expect=404)["code"] == "message_not_found"


def test_many_messages_come_page_by_page(motorist: Phone, owner: int) -> None:
    for number in range(25):
        tell(owner, "test", f"lot:{number}", f"第 {number} 条", "示例")
    first = motorist.get("/messages")
    second = motorist.get("/messages", {"cursor": first["next_cursor"]})
    assert [each["title"] for each in first["items"] + second["items"]] == [f"第 {n} 条" for n in range(24, -1, -1)]
    assert second["next_cursor"] is None
