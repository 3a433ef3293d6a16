"""A motorist's phone number: kept only while they allow it."""

from sqlalchemy import update

from app.adapters.identity import LoginCodeRefused, WeChatBusy, WeChatMiniProgram
from app.domain.motorists.actions.sessions import WeChatAway
from app.domain.motorists.models import Consent, Motorist
from app.domain.motorists.queries import motorist_of
from app.domain.motorists.rules import masked_phone
from app.kernel import clock, crypto
from app.kernel.db import current, transaction
from app.kernel.refusals import Invalid

PURPOSE = "phone"
WORDING = "phone-1"
"""Version of the words under the button: 用于停车异常、泊位调整和投诉处理时与您联系."""


class PhoneCodeRefused(Invalid):
    """WeChat does not accept the phone code: wrong, older than 5 minutes, or used before."""

    code = "phone_code_refused"
    message = "手机号授权已失效，请重新授权"


def set_phone(motorist_id: int, code: str, identity: WeChatMiniProgram) -> str:
    """Keep the phone number behind a WeChat phone code, with the consent to it; gives it back masked.

    Asks WeChat first, then writes. Refuses `PhoneCodeRefused` and `WeChatAway`.
    """
    phone = _ask(code, identity)
    with transaction():
        motorist = motorist_of(motorist_id)
        motorist.phone_bidx = crypto.blind_index("motorist.phone", phone)
        motorist.phone_enc = crypto.seal(phone, f"motorist.phone:{motorist.key}")
        _record(motorist_id, "given")
    return masked_phone(phone.removeprefix("+86"))


def forget_phone(motorist_id: int) -> None:
    """Withdraw the consent and delete the number."""
    with transaction() as session:
        emptied = update(Motorist).where(Motorist.id == motorist_id).values(phone_bidx=None, phone_enc=None)
        session.execute(emptied)
        _record(motorist_id, "withdrawn")


def _ask(code: str, identity: WeChatMiniProgram) -> str:
    try:
        return identity.phone_number(code)
    except LoginCodeRefused as refused:
        raise PhoneCodeRefused from refused
    except WeChatBusy as busy:
        raise WeChatAway from busy


def _record(motorist_id: int, act: str) -> None:
    current().add(
        Consent(
            motorist_id=motorist_id, purpose=PURPOSE, wording=WORDING, act=act, channel="mini_program", at=clock.now()
        )
    )
