"""What is still owed for stays that have ended, how it is chased, and lots where one may leave first and pay later."""
