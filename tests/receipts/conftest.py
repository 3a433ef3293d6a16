"""Stand-ins of platforms and of the mail server, and a payee with confirmed terms."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime

import pytest
from flask import Flask

from app.kernel import clock as kernel_clock
from app.wiring import outside_transactions, wiring
from payments.payees.models import Payee
from tests.payments.platforms import Stands, standing
from tests.receipts.post import PostOffice, post_office
from tests.world import payee, with_terms


@pytest.fixture(scope="module")
def running_platforms(environment: Mapping[str, str]) -> Iterator[Stands]:
    with standing(environment["CLOCK_FILE"]) as stands:
        yield stands


@pytest.fixture
def platforms(running_platforms: Stands) -> Stands:
    running_platforms.calm()
    return running_platforms


@pytest.fixture(scope="module")
def running_post(environment: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostOffice]:
    with post_office(environment["CLOCK_FILE"], tmp_path_factory.mktemp("mail")) as office:
        yield office


@pytest.fixture
def post(running_post: PostOffice, app: Flask, monkeypatch: pytest.MonkeyPatch) -> PostOffice:
    """An empty mailbox and a server on a good day, to which the platform is wired."""
    running_post.calm()
    monkeypatch.setitem(app.extensions, "gongbo", replace(wiring(), mail=outside_transactions(running_post.server())))
    return running_post


@pytest.fixture
def organ(app: Flask, evening: datetime) -> Payee:
    """It collects for the treasury, and its terms are confirmed."""
    assert kernel_clock.now() >= evening
    return with_terms(payee("fiscal"))


@pytest.fixture
def enterprise(app: Flask, evening: datetime) -> Payee:
    """It invoices with VAT, and its terms are confirmed."""
    assert kernel_clock.now() >= evening
    return payee("enterprise")
