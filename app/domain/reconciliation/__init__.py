"""What finance people do with bills, differences and days."""
