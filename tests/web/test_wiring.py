import pytest
from flask import Flask

from app.kernel.db import transaction
from app.wiring import CalledInsideTransaction, outside_transactions, wiring


class Adapter:
    name = "an adapter"

    def __init__(self) -> None:
        self.calls = 0

    def call(self) -> int:
        self.calls += 1
        return self.calls


@pytest.fixture
def adapter(app: Flask) -> Adapter:
    assert app.extensions
    return Adapter()


def test_a_call_inside_a_transaction_raises_before_it_leaves(adapter: Adapter) -> None:
    wrapped = outside_transactions(adapter)
    with transaction(), pytest.raises(CalledInsideTransaction, match=r"Adapter\.call"):
        wrapped.call()
    assert adapter.calls == 0


def test_outside_a_transaction_calls_and_attributes_pass(adapter: Adapter) -> None:
    wrapped = outside_transactions(adapter)
    assert (wrapped.call(), wrapped.name) == (1, "an adapter")


def test_the_adapters_of_the_platform_are_wrapped(app: Flask) -> None:
    assert app.extensions
    with transaction():
        for call in (lambda: wiring().identity.session_of("x"), lambda: wiring().pay.query_order("x", "y")):
            with pytest.raises(CalledInsideTransaction):
                call()
