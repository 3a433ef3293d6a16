"""How lots are found and compared, as pure rules over what is in memory."""
