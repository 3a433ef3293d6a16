"""Starts what the platform stands on: the environment, PostgreSQL and Valkey from wheels, and its own processes."""
