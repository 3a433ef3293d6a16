"""A stand-in for WeChat: Pay APIv3 in service-provider mode and the mini-program server API, over HTTP.

A program of its own (`python -m simulators.wechat`): it shares no code with the platform, keeps its own book of
what was ordered and paid, and signs with its own keys.
"""
