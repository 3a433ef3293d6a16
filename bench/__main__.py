"""`python -m bench`: everything in one run of under three minutes, one JSON line each on stdout."""

import wsgi
from app.settings import Settings
from bench import http, reserving
from bench.city import build
from bench.ground import ground


def main() -> None:
    """Build the city once and measure in it."""
    with ground() as stand:
        settings = Settings.from_environment(stand.environment)
        app = wsgi.create_app(settings)
        with app.app_context():
            build(stand.servers.postgres.admin_url)
            app.extensions["sqlalchemy"].engine.dispose()
        http.measure(stand, settings.jwt_keys)
        reserving.measure(stand, app)


if __name__ == "__main__":
    main()
