"""Start the cameras: see `--help`."""

from simulators.cameras.start import run
from simulators.parkingcam.camera import ParkingCam

run("simulators.parkingcam", "ParkingCam cameras: HTTP push and JSON heartbeats.", ParkingCam, {})
