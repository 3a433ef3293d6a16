from sqlalchemy import select

from app.domain.motorists.models import Consent, Motorist
from app.kernel import crypto
from app.kernel.db import transaction
from tests.miniprogram.stand import Phone


def test_a_phone_number_is_kept_sealed_with_the_consent_to_it(motorist: Phone) -> None:
    shown = motorist.put("/phone", {"code": motorist.phone_code()})["phone"]
    row, acts = _kept(motorist)
    assert row.phone_enc is not None
    number = crypto.unseal(row.phone_enc, f"motorist.phone:{row.key}")
    assert number.startswith("+86")
    assert number.encode() not in row.phone_enc
    assert shown == f"{number[3:6]}****{number[-4:]}"
    assert acts == ["given"]


def test_withdrawing_the_consent_deletes_the_number(motorist: Phone) -> None:
    motorist.put("/phone", {"code": motorist.phone_code()})
    motorist.delete("/phone")
    row, acts = _kept(motorist)
    assert (row.phone_enc, row.phone_bidx) == (None, None)
    assert acts == ["given", "withdrawn"]


def test_a_phone_code_is_good_once(motorist: Phone) -> None:
    code = motorist.phone_code()
    motorist.put("/phone", {"code": code})
    assert motorist.put("/phone", {"code": code}, expect=422)["code"] == "phone_code_refused"


def test_a_login_code_is_no_phone_code(motorist: Phone) -> None:
    assert motorist.put("/phone", {"code": motorist.login_code()}, expect=422)["code"] == "phone_code_refused"
    assert _kept(motorist)[0].phone_enc is None


def _kept(phone: Phone) -> tuple[Motorist, list[str]]:
    with transaction() as session:
        index = crypto.blind_index("motorist.openid", phone.openid)
        row = session.scalars(select(Motorist).filter_by(openid_bidx=index)).one()
        session.refresh(row)
        acts = session.scalars(select(Consent.act).filter_by(motorist_id=row.id).order_by(Consent.id)).all()
    return row, list(acts)
