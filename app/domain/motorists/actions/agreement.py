"""Publishing the driver agreement and signing it (notice N4.8)."""

import json
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from app.domain.motorists import queries
from app.domain.motorists.models import AgreementSignature, AgreementVersion
from app.kernel import clock, crypto
from app.kernel.db import transaction
from app.kernel.ids import new_key
from app.kernel.refusals import Conflict


class VersionTaken(Conflict):
    """Another text was published under this version: texts never change."""

    code = "agreement_version_taken"
    message = "该协议版本已发布，内容不可更改"


class AgreementSuperseded(Conflict):
    """The version that was signed is not the one in force."""

    code = "agreement_superseded"
    message = "协议已更新，请阅读并签署最新版本"


def publish_agreement(version: str, title: str, text: str, in_force_from: datetime) -> AgreementVersion:
    """Publish a text under a version for good; the same text again changes nothing. Refuses `VersionTaken`."""
    with transaction() as session:
        session.execute(
            insert(AgreementVersion)
            .values(
                version=version,
                title=title,
                text=text,
                text_sha256=sha256(text.encode()).digest(),
                in_force_from=in_force_from,
                published_at=clock.now(),
            )
            .on_conflict_do_nothing(constraint="an_agreement_version_is_published_once")
        )
        published = session.scalars(select(AgreementVersion).filter_by(version=version)).one()
        if published.text != text:
            raise VersionTaken(version=version)
        return published


def sign_agreement(motorist_id: int, version: str, device: dict[str, Any]) -> AgreementSignature:
    """Sign the version in force; signing it twice gives the first signature. Refuses `AgreementSuperseded`.

    `device` is the evidence of where it was done: system, client version, address. It is kept sealed.
    """
    with transaction() as session:
        agreement = queries.agreement_in_force()
        if agreement.version != version:
            raise AgreementSuperseded(in_force=agreement.version)
        key = new_key()
        session.execute(
            insert(AgreementSignature)
            .values(
                key=key,
                motorist_id=motorist_id,
                version=version,
                text_sha256=agreement.text_sha256,
                signed_at=clock.now(),
                device_enc=crypto.seal(json.dumps(device), f"agreement_signature.device:{key}"),
            )
            .on_conflict_do_nothing(constraint="a_version_is_signed_once")
        )
        return queries.agreement_signed(motorist_id)
