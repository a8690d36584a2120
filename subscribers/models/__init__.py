"""The tables of the registry."""

from subscribers.models.consent import Consent, Subscription, Wish
from subscribers.models.importing import ImportChange, ImportRun
from subscribers.models.member import Member, Membership, Number, NumberKind, Status
from subscribers.models.organisation import Key, Organisation
from subscribers.models.segment import Segment

__all__ = [
    "Consent",
    "ImportChange",
    "ImportRun",
    "Key",
    "Member",
    "Membership",
    "Number",
    "NumberKind",
    "Organisation",
    "Segment",
    "Status",
    "Subscription",
    "Wish",
]
