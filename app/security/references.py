"""Secrets by reference: `${NAME}` in any text of listener.toml, or `{ file = "path" }` for one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

REFERENCE: Final = re.compile(r"\$(\$\{)|\$\{([^}]*)\}?")


class References:
    """Replaces references by what they name; `faults` says, by key, which name nothing.

    `$${` stands for a literal `${`. A relative path starts at `folder`, where the file lies; the
    line's end after a secret in a file is not part of it. No fault tells a value.
    """

    def __init__(self, environ: Mapping[str, str], folder: Path) -> None:
        self._environ = environ
        self._folder = folder
        self.faults: Final[dict[str, str]] = {}

    def resolve(self, value: Any, key: str = "") -> Any:
        """`value` with everything in it replaced; what cannot be stays as it is."""
        if isinstance(value, str):
            return self._text(value, key)
        if isinstance(value, list):
            return [self.resolve(one, f"{key}[{n}]") for n, one in enumerate(value)]
        if isinstance(value, dict):
            if key and value.keys() == {"file"} and isinstance(value["file"], str):
                return self._content(self._text(value["file"], key), key)
            joint = f"{key}." if key else ""
            return {name: self.resolve(one, f"{joint}{name}") for name, one in value.items()}
        return value

    def _text(self, text: str, key: str) -> str:
        def replace(found: re.Match[str]) -> str:
            literal, name = found.groups()
            if literal:
                return "${"
            if self._environ.get(name):
                return self._environ[name]
            self.faults[key] = f"the environment variable {name or '${}'} is not set"
            return found.group()

        return REFERENCE.sub(replace, text)

    def _content(self, path: str, key: str) -> str:
        try:
            return (self._folder / path).read_text(encoding="utf-8").rstrip("\r\n")
        except OSError as error:
            self.faults[key] = f"the file {path} cannot be read: {error.strerror}"
        except ValueError:
            self.faults[key] = f"the file {path} is not UTF-8 text"
        return path
