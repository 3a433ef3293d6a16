"""Double entry, append-only, in fen; each journal belongs to one payee."""
