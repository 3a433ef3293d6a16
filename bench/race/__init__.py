"""Sixty-four clients that fight for bays, and whether anybody ever got what somebody else had."""
