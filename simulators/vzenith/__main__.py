"""Start the cameras: see `--help`."""

from simulators.cameras.start import run
from simulators.vzenith.camera import Vzenith
from simulators.vzenith.pages import PAGES

run("simulators.vzenith", "Vzenith cameras: HTTP push and comet.", Vzenith, PAGES)
