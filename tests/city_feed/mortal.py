"""`python -m tests.city_feed.mortal URL KEYS`: tells the city what is due, unless the process dies before."""

import sys
from pathlib import Path

from app.domain.city_feed.actions import send_due
from simulators.city.keys import KeyMaterial
from tests.city_feed.stand import CityStand
from wsgi import create_app

if __name__ == "__main__":
    with create_app().app_context():
        send_due(CityStand(sys.argv[1], KeyMaterial.at(Path(sys.argv[2]))).client())
