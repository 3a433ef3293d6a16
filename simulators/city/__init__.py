"""A stand-in for the city's own parking system (全市停车信息统一系统): the interface of docs/city-feed.md over HTTP.

A program of its own (`python -m simulators.city`): it shares no code with the platform, opens each cipher with its own
private key, checks each signature and each field, and remembers what it was told.
"""
