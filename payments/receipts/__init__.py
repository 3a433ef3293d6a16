"""The receipt that each paid charge is owed."""
