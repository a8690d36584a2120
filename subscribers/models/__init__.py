"""The tables of the registry."""

from subscribers.models.audit import Audit
from subscribers.models.consent import ColumnWish, Consent, ForgottenNumber, Subscription, Wish
from subscribers.models.importing import ImportChange, ImportRun, ImportSpan
from subscribers.models.list_job import ListJob, ListPiece, RefusedPiece
from subscribers.models.member import NUMBER_END, Member, Membership, Number, NumberKind, Status
from subscribers.models.organisation import Key, Organisation
from subscribers.models.segment import Listed, PeopleList, Segment
from subscribers.models.transfer import Admission, AdmissionState, Transfer, TransferState

__all__ = [
    "NUMBER_END",
    "Admission",
    "AdmissionState",
    "Audit",
    "ColumnWish",
    "Consent",
    "ForgottenNumber",
    "ImportChange",
    "ImportRun",
    "ImportSpan",
    "Key",
    "ListJob",
    "ListPiece",
    "Listed",
    "Member",
    "Membership",
    "Number",
    "NumberKind",
    "Organisation",
    "PeopleList",
    "RefusedPiece",
    "Segment",
    "Status",
    "Subscription",
    "Transfer",
    "TransferState",
    "Wish",
]
