"""What a caller may be permitted, named as in tokens and listener.toml. Not here: to whom."""

from __future__ import annotations

from typing import Final

WRITE: Final = "notifications:write"
READ: Final = "notifications:read"
COMMANDS: Final = "commands"
PERSONAL: Final = "personal"
ADMIN: Final = "admin"
ALL: Final = (WRITE, READ, COMMANDS, PERSONAL, ADMIN)
