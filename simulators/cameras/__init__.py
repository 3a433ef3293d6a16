"""What the stand-in cameras share: what they remember, their arm, their line, their faults and the control API.

Each vendor's camera is a program of its own beside this: `simulators.vzenith`, `simulators.parkingcam`.
"""
