"""Accounts are erased (注销): who it was is forgotten, what the law keeps stays without saying whose it is."""
