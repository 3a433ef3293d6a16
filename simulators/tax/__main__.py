"""`python -m simulators.tax --port P --key HEX`: serves until SIGTERM or SIGINT."""

from simulators.signed import run
from simulators.tax.invoices import PLATFORM

if __name__ == "__main__":
    run(PLATFORM)
