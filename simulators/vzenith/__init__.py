"""Vzenith 臻识 cameras that push over HTTP and poll by comet, as the vendor's text and firmware have it.

A program of its own: it imports nothing of the platform and knows only what goes over the wire. Start it with
`python -m simulators.vzenith --platform URL --port P --state DIR --cameras FILE [--clock-file F] [--seed N]`.
"""
