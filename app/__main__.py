"""`python -m app` and the installed `listener`: the command line, nothing else."""

from __future__ import annotations

from app import cli


def main() -> None:
    """Run the command line; ends the process with exit code 0, 1 or 2 (DESIGN §12)."""
    cli.main()


if __name__ == "__main__":
    main()
