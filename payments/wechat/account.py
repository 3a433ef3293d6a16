"""Who we are at WeChat Pay."""

from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from payments.wechat.keys import KeyRing

APIV3_KEY_BYTES = 32


@dataclass(frozen=True)
class MerchantAccount:
    """The service provider's (服务商) identity; sub-merchants need no key of their own.

    `apiv3_keys` are tried in turn: after a change both are kept for a day, because notices
    encrypted under the old key are still on their way.
    """

    sp_mchid: str
    sp_appid: str
    certificate_serial: str
    private_key: RSAPrivateKey = field(repr=False)
    apiv3_keys: tuple[bytes, ...] = field(repr=False)
    platform_keys: KeyRing = field(repr=False)

    def __post_init__(self) -> None:
        if not self.apiv3_keys or any(len(key) != APIV3_KEY_BYTES for key in self.apiv3_keys):
            raise ValueError("an APIv3 key is 32 ASCII bytes, and there is at least one")
