"""WeChat's daily bills (对账单): fetched, proven, read strictly, and kept line by line."""
