"""Floor 1: what every room stands on. Imports nothing of ours."""
