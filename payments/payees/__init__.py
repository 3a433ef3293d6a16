"""Who may collect, and through which WeChat sub-merchant."""
