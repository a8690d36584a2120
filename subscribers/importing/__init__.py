"""Members from spreadsheets: read, checked, matched with the registry, written; and an import can be undone.

columns -> rows -> plain | possible -> known -> matching -> decisions -> writing -> changing; `importer` opens the file,
`intake` takes its rows along this way a portion at a time, `undo` goes back
"""

from subscribers.importing.columns import like_organisations
from subscribers.importing.importer import ImportResult, import_members
from subscribers.importing.last_time import LastTime, last_time
from subscribers.importing.past import PastImport, first_members, past
from subscribers.importing.rejects import RefusedRow, as_it_stood, write_rejects
from subscribers.importing.summary import kinds_of, told
from subscribers.importing.undo import Undone, undo
from subscribers.importing.unreached import Reason, Unreached, reached
from subscribers.sheets import Limits

__all__ = [
    "ImportResult",
    "LastTime",
    "Limits",
    "PastImport",
    "Reason",
    "RefusedRow",
    "Undone",
    "Unreached",
    "as_it_stood",
    "first_members",
    "import_members",
    "kinds_of",
    "last_time",
    "like_organisations",
    "past",
    "reached",
    "told",
    "undo",
    "write_rejects",
]
