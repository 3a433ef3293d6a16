"""Doors for machines: gates, WeChat's notices, and the operation of the platform itself."""
