"""Cameras and barriers of many lots in one process, speaking gate/v1 as docs/gate-protocol.md has it.

A program of its own: it imports nothing of the platform and knows only what goes over the wire. Start it with
`python -m simulators.gate --platform URL --port P --state DIR --gates FILE [--clock-file F] [--seed N]`.
"""
