"""Money that goes back to the motorist: decided by the law or by persons, carried out by WeChat."""
