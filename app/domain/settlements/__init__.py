"""What finance people do with the settlement statements of enterprises."""
