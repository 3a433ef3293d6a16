"""The numbers that the city may change without a programmer."""
