"""Money is whole fen (分), never a fraction and never a float."""

Fen = int


def yuan_text(fen: Fen) -> str:
    """`1250` -> `12.50元`; for people to read, never to compute with."""
    sign = "-" if fen < 0 else ""
    yuan, rest = divmod(abs(fen), 100)
    return f"{sign}{yuan}.{rest:02d}元"
