"""`GET /v3/certificates`, for merchants who still have platform certificates (平台证书)."""

from cryptography.x509 import load_pem_x509_certificate

from simulators.clock import rfc3339
from simulators.wechat.errors import ApiError, compact
from simulators.wechat.signatures import encrypted
from simulators.wechat.world import World

NONE = "无可用的平台证书，请在商户平台-API安全申请使用微信支付公钥。"


def certificate_list(world: World) -> bytes:
    """The one certificate, encrypted with the APIv3 key; raises RESOURCE_NOT_EXISTS while there is none."""
    if not world.switches.platform_certificate:
        raise ApiError(404, "RESOURCE_NOT_EXISTS", NONE)
    pem = world.material.certificate_file.read_bytes()
    certificate = load_pem_x509_certificate(pem)
    entry = {
        "serial_no": world.material.account.certificate_serial,
        "effective_time": rfc3339(certificate.not_valid_before_utc.timestamp()),
        "expire_time": rfc3339(certificate.not_valid_after_utc.timestamp()),
        "encrypt_certificate": encrypted(
            pem, world.material.account.apiv3_key, world.ids.hexadecimal(12), "certificate"
        ),
    }
    return compact({"data": [entry]})
