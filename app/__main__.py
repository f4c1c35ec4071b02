"""`python -m app` and the installed `listener`: the command line, nothing else."""

from __future__ import annotations

import gc
import os
import sys

from app import cli


def main() -> None:
    """Run the command line; ends the process with exit code 0, 1 or 2 (DESIGN §12).

    No garbage is collected until the command is loaded (`cli.commands` sees to that): what is
    loaded stays, and to look through it again and again took a tenth of the time to load it [M].
    """
    gc.disable()
    _stand_in()
    cli.main()


def _stand_in() -> None:
    """Put nothing in the place of a standard stream that was closed before we began.

    Else the next file that is opened gets its number, and what is said on it.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gives the lowest number that is free
    sys.stdout = sys.stdout or open(1, "w", closefd=False)  # noqa: SIM115 - as long as we live
    sys.stderr = sys.stderr or open(2, "w", closefd=False)  # noqa: SIM115 - as above


if __name__ == "__main__":
    main()
