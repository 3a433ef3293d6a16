"""What a process of the platform tells the city until it dies."""

from pathlib import Path

from app.domain.city_feed.actions import send_due
from simulators.city.keys import KeyMaterial
from tests.city_feed.stand import CityStand
from wsgi import create_app


def tell(url: str, keys: Path) -> None:
    """Everything that is due."""
    with create_app().app_context():
        send_due(CityStand(url, KeyMaterial.at(keys)).client())
