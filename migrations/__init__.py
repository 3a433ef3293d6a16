"""The schema's history, in numbered steps that can be taken back."""
