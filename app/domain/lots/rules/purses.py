"""Whose parking money is."""


def purse_of(kind: str, level: str, district_code: str) -> str:
    """Whose a unit's parking money becomes: an enterprise's own, the city's, or its district's (N3.4.1, N3.4.2)."""
    if kind == "enterprise":
        return "enterprise"
    return "city" if level == "city" else district_code
