"""Who may collect money: what staff of finance write down, confirm and see of payees and their sub-merchants."""
