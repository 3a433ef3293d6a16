"""Receipts as staff care for them, and the words in which a stay stands on one."""
