"""What finance people do with remittances to the treasuries, and what alarms them."""
