"""Thousands of payments while everything dies that can die, and whether a fen is missing afterwards."""
