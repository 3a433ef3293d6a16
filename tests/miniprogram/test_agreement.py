import uuid
from datetime import datetime, timedelta
from hashlib import sha256

import pytest
from sqlalchemy import select

from app.domain.motorists.actions import VersionTaken, publish_agreement
from app.domain.motorists.models import AgreementSignature
from app.domain.motorists.published import SAMPLE_TITLE, SAMPLE_VERSION, sample_agreement
from app.domain.motorists.queries import device_of
from app.kernel import clock
from app.kernel.db import transaction
from tests.miniprogram.stand import Phone


def test_a_motorist_reads_the_text_in_force_with_its_hash(phone: Phone) -> None:
    agreement = phone.sign_in().get("/agreement")
    assert agreement["text_sha256"] == sha256(agreement["text"].encode()).hexdigest()
    assert (agreement["version"], agreement["is_signed"]) == (SAMPLE_VERSION, False)


def test_a_signature_names_the_text_the_moment_and_the_device(phone: Phone) -> None:
    wish = {"version": SAMPLE_VERSION, "device": {"system": "iOS 19"}}
    signature = phone.sign_in().post("/agreement/signatures", wish, expect=201)
    with transaction() as session:
        row = session.scalars(select(AgreementSignature).filter_by(key=uuid.UUID(signature["key"]))).one()
        moved = abs(clock.now() - datetime.fromisoformat(signature["signed_at"]))
    assert signature["text_sha256"] == sha256(sample_agreement().encode()).hexdigest()
    assert (device_of(row)["system"], device_of(row)["address"]) == ("iOS 19", phone.address)
    assert phone.address.encode() not in row.device_enc
    assert moved < timedelta(minutes=1)
    assert phone.get("/agreement")["is_signed"]


def test_signing_twice_is_one_signature(motorist: Phone) -> None:
    first = motorist.post("/agreement/signatures", {"version": SAMPLE_VERSION}, expect=201)
    assert motorist.post("/agreement/signatures", {"version": SAMPLE_VERSION}, expect=201) == first


def test_a_version_that_is_not_in_force_cannot_be_signed(phone: Phone) -> None:
    refused = phone.sign_in().post("/agreement/signatures", {"version": "2019-1"}, expect=409)
    assert (refused["code"], refused["details"]) == ("agreement_superseded", {"in_force": SAMPLE_VERSION})


def test_a_text_of_tomorrow_is_not_in_force_today(phone: Phone) -> None:
    publish_agreement(f"v-{uuid.uuid4().hex}", "明日", "明日生效的文本", clock.now() + timedelta(days=1))
    assert phone.sign_in().get("/agreement")["version"] == SAMPLE_VERSION


def test_a_published_text_is_never_changed(phone: Phone) -> None:
    with pytest.raises(VersionTaken):
        publish_agreement(SAMPLE_VERSION, SAMPLE_TITLE, "另一份文本", clock.now())
    assert phone.sign_in().get("/agreement")["text"] == sample_agreement()


def test_without_a_signature_nothing_can_be_reserved(phone: Phone) -> None:
    plan = _plan()
    refused = phone.sign_in().post("/reservations", plan, expect=403)
    assert refused["code"] == "agreement_not_signed"


def _plan() -> dict[str, str]:
    begins_at = clock.now() + timedelta(hours=1)
    ends_at = begins_at + timedelta(hours=1)
    keys = {"lot_key": str(uuid.uuid4()), "vehicle_key": str(uuid.uuid4())}
    return {**keys, "begins_at": begins_at.isoformat(), "ends_at": ends_at.isoformat()}
