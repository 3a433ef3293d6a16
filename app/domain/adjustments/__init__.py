"""Dynamic adjustment (动态调整, N5.6): what is closed or free of charge for a while, and what becomes of promises."""
