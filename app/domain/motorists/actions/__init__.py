"""What motorists do, and the only writers of the room's tables; one file per noun."""

from app.domain.motorists.actions.agreement import AgreementSuperseded, VersionTaken, publish_agreement, sign_agreement
from app.domain.motorists.actions.erase import (
    erase_identity,
    erase_plate,
    leave_plate,
    lock_for_erasure,
    lock_plates,
    own_plates,
)
from app.domain.motorists.actions.phone import PhoneCodeRefused, forget_phone, set_phone
from app.domain.motorists.actions.sessions import (
    Grant,
    LoginRefused,
    SignedOut,
    WeChatAway,
    identify,
    log_out_everywhere,
    refresh,
    sign_in,
)
from app.domain.motorists.actions.vehicles import (
    TooManyVehicles,
    add_vehicle,
    remember_plate,
    remember_plates,
    remove_vehicle,
)
from app.domain.motorists.actions.with_key import signed_in_with_key

__all__ = [
    "AgreementSuperseded",
    "Grant",
    "LoginRefused",
    "PhoneCodeRefused",
    "SignedOut",
    "TooManyVehicles",
    "VersionTaken",
    "WeChatAway",
    "add_vehicle",
    "erase_identity",
    "erase_plate",
    "forget_phone",
    "identify",
    "leave_plate",
    "lock_for_erasure",
    "lock_plates",
    "log_out_everywhere",
    "own_plates",
    "publish_agreement",
    "refresh",
    "remember_plate",
    "remember_plates",
    "remove_vehicle",
    "set_phone",
    "sign_agreement",
    "sign_in",
    "signed_in_with_key",
]
