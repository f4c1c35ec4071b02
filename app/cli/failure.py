"""How a command fails: what went wrong, what to do next, and the exit code. Not here: printing it.

Exit codes (DESIGN §12): 0 ok, 1 failed, 2 usage or configuration.
"""

from __future__ import annotations

from app import errors

FAILED = 1
USAGE = 2


class CommandFailed(errors.ListenerError):
    """The command failed.

    `next_step` tells the one at the keyboard what to do now; `exit_code` is FAILED or USAGE.
    """

    def __init__(self, message: str, next_step: str, *, exit_code: int = FAILED) -> None:
        super().__init__(message)
        self.next_step = next_step
        self.exit_code = exit_code


def usage(message: str, next_step: str) -> CommandFailed:
    """A failure that is the caller's or the configuration's: exit code 2."""
    return CommandFailed(message, next_step, exit_code=USAGE)


def of(error: errors.ListenerError) -> CommandFailed:
    """Any error of ours as a failed command, with the step that helps most."""
    match error:
        case CommandFailed():
            return error
        case errors.ConfigurationError():
            return usage(error.message, "mend it, then see every fault at once: listener check")
        case errors.Unavailable():
            return CommandFailed(
                error.message, "see that the database runs and that LISTENER_DATABASE_URL names it"
            )
        case _:
            return CommandFailed(error.message, "see what the command takes: add --help")
