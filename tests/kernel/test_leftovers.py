"""What nobody needs any more goes, though it is more than one statement may take away."""

from typing import LiteralString

import psycopg
import pytest

from app.kernel import leftovers
from app.kernel.idempotency import forget_expired
from tests.ground import Addresses

REMEMBERED: LiteralString = """
INSERT INTO remembered_request (scope, key, request_hash, expires_at)
SELECT 'm:1:route', number::text, '\\x00', now() + %s * interval '1 hour' FROM generate_series(1, 5) number
"""


def test_all_goes_however_much_it_is_and_nothing_else(
    database: Addresses, admin: psycopg.Connection[tuple[object, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leftovers, "AT_ONCE", 2)
    admin.execute(REMEMBERED, [-1])
    assert forget_expired() == 5
    admin.execute(REMEMBERED, [1])
    assert forget_expired() == 0
    assert admin.execute("SELECT count(*) FROM remembered_request").fetchall() == [(5,)]
