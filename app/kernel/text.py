"""Text that can be kept."""

import re
from typing import Final

UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")
"""NUL, which PostgreSQL's text refuses, and halves of UTF-16 pairs, which UTF-8 cannot say."""
