"""How fast the promises are kept, each told as a ratio to something anybody can measure on the same machine.

`make bench` prints one JSON line for each; `docs/performance.md` says how to read them. Not imported by the platform.
"""
