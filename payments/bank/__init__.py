"""Bank statements (银行流水): whether what WeChat paid out has reached the payee's account."""
