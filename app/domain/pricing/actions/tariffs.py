"""Storing tariffs: each under a name of its own, for ever."""

from typing import Any

from app.domain.pricing.models import TariffVersion
from app.domain.pricing.rules import Tariff
from app.domain.staff.rules import CITY, Actor, permit
from app.kernel import audit, clock
from app.kernel.db import refusing, transaction
from app.kernel.refusals import Conflict, Invalid


class TariffNameTaken(Conflict):
    """Another tariff has this name; a stored tariff is never rewritten."""

    code = "tariff_name_taken"
    message = "已有同名收费标准；已存收费标准不可修改，请另取名称"


class TariffUnnamed(Invalid):
    """A tariff has a name and names the document that it stands in."""

    code = "tariff_unnamed"
    message = "收费标准须有名称和依据文件"


def enter_tariff(by: Actor, name: str, document: str, parameters: dict[str, Any]) -> TariffVersion:
    """Store a reference's tariff as its document tells it (price officer).

    Refuses `InvalidTariff`, `TariffUnnamed`, `TariffNameTaken`, `NotPermitted`.
    """
    with transaction():
        permit(by, "pricing.enter_tariff", CITY)
        return store_tariff(name, document, parameters, by.label)


def store_tariff(name: str, document: str, parameters: dict[str, Any], actor: str) -> TariffVersion:
    """The same for those who asked for permission already. Refuses as `enter_tariff`."""
    Tariff.load(parameters)
    if not name.strip() or not document.strip():
        raise TariffUnnamed
    with transaction() as session:
        version = TariffVersion(
            name=name.strip(), document=document.strip(), parameters=parameters, stored_at=clock.now()
        )  # fmt: skip
        with refusing({"uq_tariff_version_name": TariffNameTaken}):
            session.add(version)
        audit.record("pricing.store_tariff", "tariff_version", version.id, actor)
        return version
