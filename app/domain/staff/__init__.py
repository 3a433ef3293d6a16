"""Who works here, as what, and where (工作人员)."""
