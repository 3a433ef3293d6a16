"""ParkingCam / Alphadigi cameras: JSON heartbeats, pushes repeated until `retransfer_stop`, a list with outcomes.

A program of its own: it imports nothing of the platform and knows only what goes over the wire. Start it with
`python -m simulators.parkingcam --platform URL --port P --state DIR --cameras FILE [--clock-file F] [--seed N]`.
"""
