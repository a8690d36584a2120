"""Whose receipt is it? Carriers write the id of a receipt in other ways than that of the answer: hexadecimal there and
decimal here or the reverse, with zeros in front, in capitals. The ledger keeps the answer's; a receipt's is turned
into that.

An id may be another message's in another form ("16" is decimal sixteen and the hexadecimal of "22"), so a match counts
only if the receipt names the number that the part went to.
"""

from __future__ import annotations

from collections import Counter, deque
from enum import StrEnum
from typing import NamedTuple

from broadcaster.language import msgid

#: pairs that settle the form, and the part of them that must agree
ENOUGH = 20
_MOST_OF = 0.95
#: ids that are kept to compare receipts with; the later ones of a carrier's receipts are turned by the form alone
REMEMBERED = 20_000


class Form(StrEnum):
    """How a receipt's id is written, next to that of the answer to the submit."""

    SAME = "same"
    LOOSE = "loose"
    """The same but for capitals, zeros in front, or 0x."""
    HEX_DECIMAL = "hex_decimal"
    """The answer is hexadecimal, the receipt decimal."""
    DECIMAL_HEX = "decimal_hex"
    """The answer is decimal, the receipt hexadecimal."""


WORDS = {
    Form.SAME: msgid("Receipts name the message as the answer did."),
    Form.LOOSE: msgid("Receipts name the message as the answer did, but for capitals or zeros in front."),
    Form.HEX_DECIMAL: msgid("The answer gives the id in hexadecimal, the receipt in decimal."),
    Form.DECIMAL_HEX: msgid("The answer gives the id in decimal, the receipt in hexadecimal."),
}
"""Each form in a sentence for people."""


class Learned(NamedTuple):
    """The form that pairs of ids agree on, if they do."""

    form: Form | None
    pairs: int
    agreeing: int


def normalise(message_id: str) -> str:
    """An id without what carriers vary: capitals, blanks, 0x, zeros in front."""
    if message_id.isdecimal() and message_id[0] != "0":
        # as most carriers write it
        return message_id
    plain = message_id.strip().lower().removeprefix("0x")
    return plain.lstrip("0") or plain[-1:]


def candidates(receipt_id: str) -> list[tuple[Form, str]]:
    """What the answer's id may have been, normalised, by each form that can be; the simplest first."""
    plain = normalise(receipt_id)
    found = [(Form.LOOSE, plain)]
    # so many digits are 128 bits: nobody counts further
    if len(plain) <= 39 and plain.isascii():
        if plain.isdecimal():
            found.append((Form.HEX_DECIMAL, f"{int(plain):x}"))
        if _is_hex(plain):
            found.append((Form.DECIMAL_HEX, str(int(plain, 16))))
    return found


class Ids:
    """The ids of late, and the form of receipts as it is learned. For one gateway; used by one thread at a time."""

    def __init__(self, form: Form | None = None, remembered: int = REMEMBERED) -> None:
        """`form`: as the settings say; None: learned."""
        self._fixed = form
        self._remembered = remembered
        self._numbers: dict[str, str] = {}
        #: in their order: to find its first key, a dict would go through all that were deleted before it
        self._order: deque[str] = deque()
        #: normalised -> as the answer had it, of those that differ: few carriers have any
        self._spelled: dict[str, str] = {}
        self._counted: Counter[Form] = Counter()
        self._total = 0
        self._form = form
        self._width = 0
        self._capitals = False

    @property
    def learned(self) -> Learned:
        """The form as far as it is settled: by the settings, or by `ENOUGH` pairs."""
        total = self._counted.total()
        if self._fixed is not None:
            return Learned(self._fixed, total, self._counted[self._fixed])
        return _settled(self._counted, total)

    def kept(self) -> str:
        """What was learned, as a text for `recall`; empty while nothing is settled."""
        form, _, _ = self.learned
        if form is None or self._fixed is not None:
            return ""
        return f"{form.value} {self._width}{' capitals' if self._capitals else ''}"

    def recall(self, kept: str) -> None:
        """Go on from what `kept` said. Pairs that tell something else are believed as soon as they are enough."""
        form, width, capitals = _read(kept)
        if form is None or self._fixed is not None or self._counted:
            return
        self._form, self._width, self._capitals = form, width, capitals
        self._counted[form] = ENOUGH

    def accepted(self, message_id: str, msisdn: str) -> None:
        """The carrier took a part to this number and gave it this id."""
        if message_id not in self._numbers:
            self._order.append(message_id)
        self._numbers[message_id] = msisdn
        plain = normalise(message_id)
        if plain != message_id:
            self._spelled[plain] = message_id
        elif self._spelled:
            # the newer one is meant
            self._spelled.pop(plain, None)
        if len(self._order) > self._remembered:
            oldest = self._order.popleft()
            del self._numbers[oldest]
            if self._spelled and self._spelled.get(normalise(oldest)) == oldest:
                del self._spelled[normalise(oldest)]

    def resolve(self, receipt_id: str, msisdn: str | None) -> str:
        """The id of the answer that a receipt is about; the receipt's own, turned by the form, if it is not of late."""
        if self._form is Form.SAME and receipt_id in self._numbers and agree(self._numbers[receipt_id], msisdn):
            self._note(Form.SAME, receipt_id)
            return receipt_id
        found = self._matches(receipt_id, msisdn)
        if not found:
            return self._turned(receipt_id)
        if len(found) == 1:
            self._note(*found[0])
            return found[0][1]
        likely = self._form or max(self._counted, key=self._counted.__getitem__, default=None)
        return next((submit_id for form, submit_id in found if form is likely), found[0][1])

    def _matches(self, receipt_id: str, msisdn: str | None) -> list[tuple[Form, str]]:
        found = []
        if receipt_id in self._numbers and agree(self._numbers[receipt_id], msisdn):
            found.append((Form.SAME, receipt_id))
        for form, plain in candidates(receipt_id):
            submit_id = self._spelled.get(plain, plain)
            if submit_id == receipt_id or submit_id not in self._numbers:
                continue
            if agree(self._numbers[submit_id], msisdn):
                found.append((form, submit_id))
        return found

    def _note(self, form: Form, submit_id: str) -> None:
        self._counted[form] += 1
        self._total += 1
        if self._total > 50 * ENOUGH:
            # what was seen long ago counts less: carriers change their software
            self._counted = Counter({form: count // 2 for form, count in self._counted.items()})
            self._total = self._counted.total()
        if form is not self._form:
            # one more that agrees changes nothing
            self._form = self.learned.form
        if submit_id.startswith("0"):
            self._width = len(submit_id)
        self._capitals = self._capitals or submit_id != submit_id.lower()

    def _turned(self, receipt_id: str) -> str:
        return _turned(receipt_id, self._form, self._width, self._capitals)


def form_of(kept: str) -> Form | None:
    """The form in a text of `Ids.kept`; None: there is none."""
    return _read(kept)[0]


def turned(receipt_id: str, kept: str) -> str:
    """A receipt's id as the answer has it, by a text of `Ids.kept`; as it is, where that says nothing."""
    return _turned(receipt_id, *_read(kept))


def _turned(receipt_id: str, form: Form | None, width: int, capitals: bool) -> str:
    """As the carrier would have written it in the answer."""
    plain = dict(candidates(receipt_id)).get(form) if form else None
    if plain is None:
        return receipt_id
    return (plain.upper() if capitals else plain).rjust(width, "0")


def _read(kept: str) -> tuple[Form | None, int, bool]:
    name, _, rest = kept.partition(" ")
    width, _, capitals = rest.partition(" ")
    if name not in list(Form) or not width.isdecimal() or len(width) > 3:
        return None, 0, False
    return Form(name), int(width), bool(capitals)


def agree(msisdn: str, told: str | None) -> bool:
    """Whether a receipt's number can be that of the part: as it is, or without its country code. None tells nothing."""
    if not told or told == msisdn:
        return True
    ours, theirs = msisdn.lstrip("+"), told.lstrip("+0")
    return len(theirs) >= 5 and ours.endswith(theirs) if len(theirs) < len(ours) else theirs.endswith(ours)


def _settled(counted: Counter[Form], total: int) -> Learned:
    form, agreeing = max(counted.items(), key=lambda item: item[1], default=(None, 0))
    if total < ENOUGH or agreeing < _MOST_OF * total:
        form = None
    return Learned(form, total, agreeing)


def _is_hex(text: str) -> bool:
    return bool(text) and all(character in "0123456789abcdef" for character in text)
