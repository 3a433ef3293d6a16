"""Remittance (上缴): what is due to a treasury leaves in batches, proposed by one person and approved by another."""
