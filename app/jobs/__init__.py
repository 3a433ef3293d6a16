"""Door: work that runs by itself. Jobs make things prompt; sweepers make sure that nothing is forgotten."""
