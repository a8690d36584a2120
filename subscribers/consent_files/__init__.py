"""Wishes from spreadsheets and to them, taken back, looked up, and said on somebody's behalf.

columns -> rows -> taking_in; handing_out and undoing; speaking is for one number
"""

from subscribers.consent_files.handing_out import export_consent
from subscribers.consent_files.speaking import Evidence, history, say, say_for_member
from subscribers.consent_files.taking_in import ConsentImported, import_consent
from subscribers.consent_files.undoing import undo_consent

__all__ = [
    "ConsentImported",
    "Evidence",
    "export_consent",
    "history",
    "import_consent",
    "say",
    "say_for_member",
    "undo_consent",
]
