"""The command line: what each command takes, shows and ends with. Not here: any work of its own.

Exit codes: 0 ok, 1 failed, 2 usage or configuration. Every failure names the next step.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from app import errors
from app.cli import commands, failure, screen


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and end the process with its exit code."""
    try:
        commands.front()(args=arguments)
    except errors.ListenerError as error:
        failed = failure.of(error)
        screen.failed(failed)
        sys.exit(failed.exit_code)
