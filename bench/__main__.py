"""`python -m bench [full] [GROUP …]`: one JSON line for each promise about speed, on stdout.

Without groups all are measured. The city of supply is built at a tenth, in `full` at full size; that takes some minutes
more.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import wsgi
from app.settings import Settings
from bench import hot_bay, http, noticing, posting, proving, quoting, reconciling, reserving, revenue, supply
from bench.city import MOTORISTS, inhabit, opened_lots
from bench.gates import deciding, listing, outage
from bench.gates.scene import yard
from bench.ground import ground

A_TENTH, WHOLE = 0.1, 1.0
FULL: Final = "full"


def main() -> None:
    """Measure the groups that are named, what needs no server first. Ends with a word about those that are unknown."""
    words = sys.argv[1:]
    scale = WHOLE if FULL in words else A_TENTH
    for group in _chosen([word for word in words if word != FULL]):
        group(scale)


def _chosen(names: Sequence[str]) -> Sequence[Callable[[float], None]]:
    if unknown := set(names) - GROUPS.keys():
        sys.exit(f"no such group: {', '.join(sorted(unknown))}; there are {', '.join(GROUPS)}")
    return [group for name, group in GROUPS.items() if not names or name in names]


def _prices(scale: float) -> None:
    quoting.measure()
    proving.measure(hardest_rounds=proving.ROUNDS if scale == WHOLE else 1)


def _reservations(_: float) -> None:
    """One city for what is asked over HTTP and for what calls the action."""
    with ground(opened_lots) as stand:
        settings = Settings.from_environment(stand.environment)
        app = wsgi.create_app(settings)
        inhabit(stand.servers.postgres.admin_url, MOTORISTS, claimed=True)
        http.measure(stand, settings.jwt_keys)
        reserving.measure(stand, app, settings.jwt_keys)


def _rush(_: float) -> None:
    hot_bay.measure()


def _gates(scale: float) -> None:
    with yard() as city:
        deciding.measure(city)
        listing.measure(city, scale)
        outage.measure(city, scale)


def _payments(scale: float) -> None:
    noticing.measure()
    posting.measure()
    revenue.measure(scale)


GROUPS: Final[Mapping[str, Callable[[float], None]]] = {
    "prices": _prices,
    "reservations": _reservations,
    "rush": _rush,
    "gates": _gates,
    "payments": _payments,
    "supply": supply.measure,
    "bills": reconciling.measure,
}


if __name__ == "__main__":
    main()
