"""`python -m revscore`: the command line."""

from revscore.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
