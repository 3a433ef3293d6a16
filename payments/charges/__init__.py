"""What one motorist owes one payee, its WeChat orders, and the payment that settles it."""
