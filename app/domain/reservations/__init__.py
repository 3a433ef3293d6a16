"""Promises made to motorists."""
