"""`python -m simulators.fiscal --port P --key HEX`: serves until SIGTERM or SIGINT."""

from simulators.fiscal.bills import PLATFORM
from simulators.signed import run

if __name__ == "__main__":
    run(PLATFORM)
