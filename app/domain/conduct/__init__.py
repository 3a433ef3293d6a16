"""Conduct (停车信用): what went wrong, what follows from it by rule and for how long, and who looks at it again."""
