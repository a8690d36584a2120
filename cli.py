"""Broadsheet from a checkout: `python cli.py members import people.csv`."""

from broadcaster.commands import main

if __name__ == "__main__":
    main()
