"""A bay occupied for a span: the guard against selling anything twice."""
