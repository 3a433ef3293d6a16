"""Refunds as people ask for them and hear of them; the money itself is moved by `payments.refunds`."""
