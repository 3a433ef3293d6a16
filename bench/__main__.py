"""`python -m bench [full]`: everything in one run, one JSON line each on stdout.

The city of supply is built at a tenth, in `full` at full size; that takes some minutes more.
"""

import sys

import wsgi
from app.settings import Settings
from bench import hot_bay, http, noticing, posting, proving, quoting, reconciling, reserving, revenue, supply
from bench.city import build
from bench.gates import deciding, listing, outage
from bench.gates.scene import yard
from bench.ground import ground

A_TENTH, WHOLE = 0.1, 1.0


def main() -> None:
    """What needs no server first; then build each city once and measure in it."""
    quoting.measure()
    proving.measure()
    with ground() as stand:
        settings = Settings.from_environment(stand.environment)
        app = wsgi.create_app(settings)
        with app.app_context():
            build(stand.servers.postgres.admin_url)
            app.extensions["sqlalchemy"].engine.dispose()
        http.measure(stand, settings.jwt_keys)
        reserving.measure(stand, app, settings.jwt_keys)
    hot_bay.measure()
    scale = WHOLE if sys.argv[1:] == ["full"] else A_TENTH
    with yard() as city:
        deciding.measure(city)
        listing.measure(city)
        outage.measure(city, scale)
    noticing.measure()
    posting.measure()
    revenue.measure(scale)
    supply.measure(scale)
    reconciling.measure(scale)


if __name__ == "__main__":
    main()
