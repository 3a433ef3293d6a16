"""From entry to exit, and what it costs."""
