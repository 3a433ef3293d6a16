"""What tests about regular places ask for."""

from tests.departures.conftest import run

__all__ = ["run"]
