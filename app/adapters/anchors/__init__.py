"""Where the head of the audit log is kept outside of the database, so that nobody can cut or rewrite it unnoticed.

A place is anything with the four members of `AnchorPlace`: a folder of this machine or of another one's file system
today, a service for trusted timestamps with an adapter of its own.
"""

from app.adapters.anchors.anchor import FIRST, Anchor, AnchorPlace, AnchorsUnreadable
from app.adapters.anchors.folder import FolderAnchors

__all__ = ["FIRST", "Anchor", "AnchorPlace", "AnchorsUnreadable", "FolderAnchors"]
