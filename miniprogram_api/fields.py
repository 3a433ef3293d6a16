"""Fields of this door: those of all doors."""

from app.web.fields import Choice, Degrees, Flag, Key, Moment, Several, Text, Whole, Wish, fen

__all__ = ["Choice", "Degrees", "Flag", "Key", "Moment", "Several", "Text", "Whole", "Wish", "fen"]
