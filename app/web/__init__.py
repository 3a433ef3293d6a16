"""Floor 4: what all doors share - errors, limits, policies, logs, metrics, tokens."""
