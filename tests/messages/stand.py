"""A motorist who may be told something through the stand-in WeChat."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from app.domain.messages import actions as messages
from app.domain.messages.models import MessageConsent, MessageDelivery
from app.domain.messages.rules import Push
from app.domain.motorists.queries import openid_of
from app.kernel import clock
from app.kernel.db import transaction
from tests.wechat.stand import Stand
from tests.world import Driver, driver, staff

TEMPLATES: Mapping[str, Mapping[str, str]] = {
    "leaving": {"thing1": "lot", "time2": "time", "thing3": "note"},
    "conduct": {"phrase1": "matter", "time2": "time", "thing3": "note"},
    "booking": {"thing1": "lot", "time2": "time", "thing3": "note"},
    "arrears": {"thing1": "lot", "thing2": "amount", "time3": "time", "thing4": "note"},
}
TOLD = {"lot": "示例停车场", "time": "2026年6月11日 08:00", "note": "请及时驶离"}


def template_id(kind: str = "leaving") -> str:
    return f"tmpl-{kind}-of-these-tests"


def templates(wechat: Stand) -> None:
    """Our templates, known to WeChat and to us."""
    by = staff("administrator")
    for kind, fields in TEMPLATES.items():
        wechat.control("templates", template_id=template_id(kind), keys=list(fields))
        messages.set_template(by, kind, template_id(kind), f"pages/{kind}/index", fields)


@dataclass(frozen=True)
class Listener:
    """A motorist as we and WeChat know them."""

    who: Driver
    wechat: Stand

    @property
    def openid(self) -> str:
        return openid_of(self.who.id)

    def accepts(self, times: int = 1, kind: str = "leaving") -> "Listener":
        """Taps "allow" so many times; WeChat and we count it."""
        self.wechat.control("subscriptions", openid=self.openid, template_id=template_id(kind), times=times)
        for _ in range(times):
            messages.accept(self.who.id, [template_id(kind)])
        return self

    def forbids(self, kind: str = "leaving") -> None:
        """Switches such messages off in WeChat, which does not tell us."""
        self.wechat.control("subscriptions", openid=self.openid, template_id=template_id(kind), times=-100)

    def shown(self) -> list[dict[str, str]]:
        """What stands on the phone."""
        found = self.wechat.session.get(
            f"{self.wechat.url}/control/messages", params={"openid": self.openid}, timeout=10
        ).json()["messages"]
        return [each["values"] for each in found]


def listener(wechat: Stand, who: Driver | None = None) -> Listener:
    known = who or driver()
    wechat.control("login-codes", openid=openid_of(known.id))
    return Listener(known, wechat)


def told(of: Listener, subject: str = "stay:1", **changed: Any) -> None:
    """Tell something that is worth showing for an hour."""
    push = Push("leaving", TOLD, clock.now() + changed.get("lasts", timedelta(hours=1)))
    messages.tell(of.who.id, "test", subject, "示例", "示例内容", push)


def deliveries() -> list[MessageDelivery]:
    with transaction() as session:
        return list(session.scalars(select(MessageDelivery).order_by(MessageDelivery.id)))


def states() -> list[str]:
    return [each.state for each in deliveries()]


def consents(of: Listener) -> list[str | None]:
    with transaction() as session:
        same = select(MessageConsent.ended_as).filter_by(motorist_id=of.who.id).order_by(MessageConsent.id)
        return list(session.scalars(same))
