"""WeChat on paper: an account and notices made without a process, to be spoilt at will."""

import base64
import json
from datetime import UTC, datetime
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from payments.wechat import KeyRing, MerchantAccount
from payments.wechat.signing import answer_message, sign

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
APIV3_KEY = b"0123456789abcdef0123456789ABCDEF"
SERIAL = "PUB_KEY_ID_0114232134912410000000000000"
CERTIFICATE = "5157F09EFDC096DE15EBE81A47057A7232F1B8E1"
TRANSACTION = {
    "sp_appid": "wx2421b1c4370ec43b",
    "sp_mchid": "1600000001",
    "sub_mchid": "1900000109",
    "out_trade_no": "T20260301000001",
    "transaction_id": "4200000925202101284997714292",
    "trade_type": "JSAPI",
    "trade_state": "SUCCESS",
    "success_time": "2026-03-01T15:59:58+08:00",
    "payer": {"sp_openid": "oUpF8uMuAJOM2pxb1Q"},
    "amount": {"total": 1250, "payer_total": 1200, "currency": "CNY", "payer_currency": "CNY"},
}


@cache
def key(name: str) -> RSAPrivateKey:
    """A key for each name, made once a run."""
    assert name
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def account() -> MerchantAccount:
    ring = {SERIAL: key("platform").public_key(), CERTIFICATE: key("certificate").public_key()}
    return MerchantAccount(
        sp_mchid="1600000001",
        sp_appid="wx2421b1c4370ec43b",
        certificate_serial="408B07E79B8269FEC3D5D3E6AB8ED163A6A380DB",
        private_key=key("merchant"),
        apiv3_keys=(APIV3_KEY,),
        platform_keys=KeyRing(ring),
    )


def envelope(content: object, associated: str = "transaction", apiv3_key: bytes = APIV3_KEY) -> dict[str, Any]:
    plaintext = content if isinstance(content, bytes) else json.dumps(content).encode()
    ciphertext = AESGCM(apiv3_key).encrypt(b"fdasflkja484", plaintext, associated.encode())
    return {
        "id": "7f8fcdb2-573a-547a-901e-4c34f9761293",
        "create_time": "2026-03-01T15:59:59+08:00",
        "resource_type": "encrypt-resource",
        "event_type": "TRANSACTION.SUCCESS",
        "summary": "支付成功",
        "resource": {
            "original_type": "transaction",
            "algorithm": "AEAD_AES_256_GCM",
            "ciphertext": base64.b64encode(ciphertext).decode(),
            "associated_data": associated,
            "nonce": "fdasflkja484",
        },
    }


def signed(body: bytes, at: datetime = NOW, serial: str = SERIAL, by: str = "platform") -> dict[str, str]:
    timestamp, nonce = str(int(at.timestamp())), "5K8264ILTKCH16CQ2502SI8ZNMTM67VS"
    return {
        "Wechatpay-Timestamp": timestamp,
        "Wechatpay-Nonce": nonce,
        "Wechatpay-Serial": serial,
        "Wechatpay-Signature": sign(answer_message(timestamp, nonce, body), key(by)),
        "Wechatpay-Signature-Type": "WECHATPAY2-SHA256-RSA2048",
    }
