"""The books against the events: what must have been posted, recomputed and compared; and corrections (冲正) by two."""
