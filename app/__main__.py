"""`python -m app` and the installed `listener`: the command line, nothing else."""

from __future__ import annotations

import gc

from app import cli


def main() -> None:
    """Run the command line; ends the process with exit code 0, 1 or 2 (DESIGN §12).

    No garbage is collected until the command is loaded (`cli.commands` sees to that): what is
    loaded stays, and to look through it again and again took a tenth of the time to load it [M].
    """
    gc.disable()
    cli.main()


if __name__ == "__main__":
    main()
