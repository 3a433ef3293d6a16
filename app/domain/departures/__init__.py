"""Cars that should leave before their lot closes: reminded in time, and written down when they stayed."""
