"""Units' and operators' own systems that tell us about their lots (N2.2.5, N4.8)."""
