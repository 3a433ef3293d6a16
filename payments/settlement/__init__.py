"""Settlement with enterprises (结算): what each took, gave back, paid WeChat and got, as a statement that stays."""
