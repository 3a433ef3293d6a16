"""Reconciliation (对账): WeChat's bills against our payments and refunds, every difference explained by two persons."""
