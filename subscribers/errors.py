"""What can go wrong, as values a door can show.

    BroadsheetError
    ├── Invalid        what was given cannot be used (a bad row, an unknown field, a wrong setting)
    ├── NotFound       there is no such thing, or not for this person
    ├── Denied         this person lacks the right
    ├── Conflict       not now: the state of the thing does not allow it
    │   └── Outdated   somebody else has saved another one since it was read
    └── Unavailable    a server, a disk or a gateway does not answer

A message is an English sentence with named fields, so that a door can look it up in a catalogue and tell it in the
reader's language. It says what happened; the hint, a sentence over the same fields, says what to do. A list among the
fields is one of things to be named one after the other.
"""

from __future__ import annotations


class BroadsheetError(Exception):
    """Something went wrong that a person can be told about in one line."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "", **fields: object) -> None:
        self.message = message
        self.hint = hint
        self.fields = fields
        told = {
            name: ", ".join(map(str, value)) if isinstance(value, list) else value for name, value in fields.items()
        }
        super().__init__(message.format(**told))


class Invalid(BroadsheetError):
    """What was given cannot be used."""

    exit_code = 2


class NotFound(BroadsheetError):
    """There is no such thing, or not for this person."""


class Denied(BroadsheetError):
    """This person lacks the right."""


class Conflict(BroadsheetError):
    """Not now: the state of the thing does not allow it."""


class Outdated(Conflict):
    """Somebody else has changed it since it was read."""


class Unavailable(BroadsheetError):
    """A server, a disk or a gateway does not answer."""
