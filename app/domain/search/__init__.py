"""Open bays near a point for a span; never writes."""
