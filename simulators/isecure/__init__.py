"""A car-park's own system with an open platform, in the style of Hikvision's iSecure Center (Artemis, AK/SK).

A program of its own: it imports nothing of the platform and knows only what goes over the wire. Start it with
`python -m simulators.isecure --port P --state DIR [--parks FILE] [--clock-file F]`.
"""
