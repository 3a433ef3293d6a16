"""What gates ask and tell, at the pace at which a city does."""
