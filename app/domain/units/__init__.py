"""Who opens (开放单位), where, and who runs it for them (运营单位)."""
