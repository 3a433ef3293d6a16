"""What the city's own parking system is told, in order, once, and again until it answers."""
