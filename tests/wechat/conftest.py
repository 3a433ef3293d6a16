"""One stand-in WeChat for all tests of a run, calmed before each."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from payments.wechat import WeChatPay
from tests.wechat.stand import Merchant, Stand, standing


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    directory: Path = tmp_path_factory.mktemp("wechat")
    with standing(directory, "--retry-factor", "0.001", "--seed", "20260301") as stand:
        yield stand


@pytest.fixture
def wechat(running: Stand) -> Iterator[Stand]:
    running.time.set(0)
    running.calm()
    yield running
    running.calm()


@pytest.fixture
def pay(wechat: Stand) -> WeChatPay:
    return wechat.client()


@pytest.fixture
def merchant() -> Iterator[Merchant]:
    merchant = Merchant()
    yield merchant
    merchant.close()
