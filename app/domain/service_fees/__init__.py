"""Operators' service fees (运营服务费): agreed with a unit, stated by month, never taken out of money."""
