"""Keys are made once, for their owner only, and read strictly."""

import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from payments.wechat import KeyRing, MerchantAccount, read_private_key
from payments.wechat.keys import UnusableKey
from tests.wechat import paper
from tests.wechat.stand import account_of, read_environment


def _write_keys(directory: Path) -> dict[str, bytes]:
    subprocess.run([sys.executable, "-m", "simulators.wechat.keys", str(directory)], check=True, capture_output=True)
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def test_keys_are_written_once_and_readable_by_their_owner_only(tmp_path: Path) -> None:
    directory = tmp_path / "keys"
    assert _write_keys(directory) == _write_keys(directory)
    assert {path.stat().st_mode & 0o777 for path in directory.iterdir()} == {0o600}


def test_the_environment_file_is_all_an_account_needs(tmp_path: Path) -> None:
    _write_keys(tmp_path)
    environment = read_environment(tmp_path / "wechat.env")
    account = account_of(environment)
    assert set(environment) == {
        "WECHAT_APP_ID",
        "WECHAT_APP_SECRET",
        "WECHAT_SP_MCHID",
        "WECHAT_MERCHANT_SERIAL",
        "WECHAT_MERCHANT_KEY_FILE",
        "WECHAT_APIV3_KEY",
        "WECHAT_PUBLIC_KEYS",
    }
    assert account.platform_keys.preferred.startswith("PUB_KEY_ID_")
    assert len(account.platform_keys.keys) == 2


def test_a_certificate_is_kept_only_under_its_own_serial(tmp_path: Path) -> None:
    _write_keys(tmp_path)
    _, certificate = read_environment(tmp_path / "wechat.env")["WECHAT_PUBLIC_KEYS"].split(",")
    with pytest.raises(UnusableKey):
        KeyRing.read({paper.CERTIFICATE: Path(certificate.partition("=")[2])})


def test_a_ring_without_keys_is_refused() -> None:
    with pytest.raises(UnusableKey):
        KeyRing({})


def test_only_rsa_keys_in_pem_are_taken(tmp_path: Path) -> None:
    key, path = ec.generate_private_key(ec.SECP256R1()), tmp_path / "key.pem"
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(UnusableKey):
        read_private_key(path)
    path.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    with pytest.raises(UnusableKey):
        KeyRing.read({"PUB_KEY_ID_1": path})
    path.write_text("nothing")
    with pytest.raises(UnusableKey):
        read_private_key(path)


@pytest.mark.parametrize("keys", [(), (b"short",), (paper.APIV3_KEY, b"short")])
def test_an_apiv3_key_has_32_bytes(keys: tuple[bytes, ...]) -> None:
    account = paper.account()
    with pytest.raises(ValueError, match="32 ASCII bytes"):
        MerchantAccount(
            account.sp_mchid,
            account.sp_appid,
            account.certificate_serial,
            account.private_key,
            keys,
            account.platform_keys,
        )


def test_the_stand_in_serves_no_network(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "simulators.wechat", "--port", "0", "--host", "192.0.2.1", "--keys", str(tmp_path)]
    refused = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert refused.returncode != 0
    assert "no loopback address" in refused.stderr
