"""The books against the events: what payments, charges and refunds must have posted, recomputed and compared."""
