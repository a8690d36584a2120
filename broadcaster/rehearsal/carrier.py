"""What all connections share: who is bound, what was accepted, and when its receipts fall due."""

from __future__ import annotations

import asyncio
import hmac
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from broadcaster.rehearsal import letters
from broadcaster.rehearsal.account import Account, Delivery
from broadcaster.rehearsal.behaviour import Behaviour
from broadcaster.rehearsal.counts import Counts
from broadcaster.rehearsal.fates import Fate, State, Turn, fate, plain_fate
from broadcaster.rehearsal.journal import Journal
from broadcaster.rehearsal.link import Link
from broadcaster.rehearsal.pdu import Bind, Command, Status, Submit
from broadcaster.rehearsal.pieces import Piece
from broadcaster.rehearsal.receipts import read_id, receipt_body, write_id
from broadcaster.rehearsal.schedule import Schedule
from subscribers.clock import utc_now

#: the first id of a run is drawn from these, so that hardly one is given again, whatever became of the log. They have
#: ten digits, eight in hex
FIRST_IDS = range(1_000_000_000, 4_000_000_000)
#: message ids that nobody was given
STRANGE = 7_000_000_000
#: parts that can be asked about and taken back; older ones are forgotten
MOST_REMEMBERED = 100_000
#: times a delivery is tried whose client says "later", and the seconds before the second time
TRIES, TRY_AFTER = 5, 0.5
_STAMP = "%y%m%d%H%M"


@dataclass(slots=True)
class Part:
    """A part that was accepted."""

    number: int
    system_id: str
    source: bytes
    destination: bytes
    submitted: str
    #: its first characters, as receipts quote them
    text: str
    #: registered_delivery: which receipts are wanted
    registered: int
    state: State = State.ENROUTE
    error: int = 0
    done: str = ""


class Carrier:
    """Lives in one event loop; links call it, and it calls nobody but them and the journal."""

    def __init__(self, behaviour: Behaviour, journal: Journal, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.counts = Counts()
        self.links: set[Link] = set()
        #: set when the journal cannot be written: nothing may be accepted any more
        self.failed: asyncio.Future[None] = loop.create_future()
        self._journal = journal
        self._next_id = random.SystemRandom().choice(FIRST_IDS)
        self._submits = 0
        self._accounts: dict[str, Account] = {}
        self._parts: dict[int, Part] = {}
        self._due: Schedule[tuple[Part, Turn]] = Schedule()
        self._alarm: asyncio.TimerHandle | None = None
        self._time = self._stamp = ""
        self._letters = 0
        self._tokens, self._filled = 1.0, loop.time()
        self.behave(behaviour)

    def behave(self, behaviour: Behaviour) -> None:
        """Behave so from now on."""
        self.behaviour = behaviour
        self._plain = plain_fate(behaviour) if behaviour.is_plain else None
        self._zone = ZoneInfo(behaviour.time_zone)

    def connected(self, link: Link) -> None:
        """A connection is there."""
        self.counts.links += 1
        self.counts.connections += 1
        link.number = self.counts.connections
        self.links.add(link)

    def disconnected(self, link: Link, unacknowledged: Sequence[Delivery]) -> None:
        """It is gone: what it did not acknowledge goes to the next one."""
        self.counts.links -= 1
        self.links.discard(link)
        account = link.account
        if account is None:
            return
        account.links -= 1
        if link.may_receive:
            account.receivers.remove(link)
        account.keep_first(unacknowledged)
        account.pump()
        if not account.links and not account.waiting:
            self._accounts.pop(account.system_id, None)

    def cut(self) -> None:
        """Cut every connection."""
        for link in list(self.links):
            link.cut()

    def admit(self, asked: Bind) -> Status:
        """Whether they may bind."""
        status, behaviour = Status.OK, self.behaviour
        if behaviour.system_id and asked.system_id != behaviour.system_id:
            status = Status.BAD_SYSTEM_ID
        elif behaviour.password and not hmac.compare_digest(asked.password.encode(), behaviour.password.encode()):
            status = Status.BAD_PASSWORD
        elif behaviour.max_binds and sum(1 for link in self.links if link.account) >= behaviour.max_binds:
            status = Status.BIND_FAILED
        self.counts.binds_refused += status is not Status.OK
        return status

    def bound(self, link: Link, system_id: str) -> Account:
        """They are bound; what waits for them comes after the answer."""
        self.counts.binds += 1
        account = self._account(system_id)
        account.links += 1
        if link.may_receive:
            account.receivers.append(link)
        return account

    def begin_turn(self) -> None:
        """What is taken from here on has the time of now."""
        now = utc_now()
        self._time = now.isoformat(timespec="milliseconds")
        self._stamp = now.astimezone(self._zone).strftime(_STAMP)

    def end_turn(self) -> bool:
        """Write the log; False if that failed: then nothing may be answered."""
        if self.failed.done():
            return False
        try:
            self._journal.flush()
        except OSError as error:
            self.failed.set_exception(error)
            return False
        return True

    def take(
        self, link: Link, account: Account, sequence: int, submit: Submit, piece: Piece
    ) -> tuple[int, bytes, Fate]:
        """Accept a part or not: the status, the body of the answer, what else is to be done."""
        self._submits += 1
        met = self._plain or fate(self.behaviour, submit.destination, self._submits)
        if met.throttled or (self.behaviour.limit and not self._within_limit()):
            self.counts.throttled += 1
            full = self.behaviour.throttle_with == "queue-full"
            return Status.QUEUE_FULL if full else Status.THROTTLED, b"", met
        if met.refused:
            self.counts.refused += 1
            return Status.BAD_DESTINATION, b"", met
        number = self._next_id
        self._next_id += 1
        self.counts.accepted += 1
        account.sender = submit.source
        message_id = write_id(number, self.behaviour.id_form)
        self._journal.add(self._time, link.number, account.system_id, sequence, submit, piece, message_id)
        quoted = piece.text[:20] if piece.text and piece.text.isascii() else ""
        part = Part(
            number, account.system_id, submit.source, submit.destination, self._stamp, quoted, submit.registered
        )
        self._parts[number] = part
        self._parts.pop(number - MOST_REMEMBERED, None)
        self._expect(part, met)
        return Status.OK, message_id.encode() + b"\0", met

    def query(self, account: Account, message_id: str, source: bytes) -> tuple[Status, bytes]:
        """The answer to query_sm: state and time of a part of this account."""
        part = self._find(account, message_id, source)
        if part is None:
            return Status.BAD_MESSAGE_ID, b""
        done = b""
        if part.done:
            # the standard's form: seconds, tenths of them, and how far from UTC in quarters of an hour
            there = datetime.strptime(part.done, _STAMP).replace(tzinfo=self._zone)
            quarters = (there.utcoffset() or timedelta()) // timedelta(minutes=15)
            done = f"{part.done}000{abs(quarters):02}{'-' if quarters < 0 else '+'}".encode()
        return Status.OK, message_id.encode("latin-1") + b"\0" + done + b"\0" + bytes((part.state, part.error))

    def cancel(self, account: Account, message_id: str, source: bytes, destination: bytes) -> Status:
        """Take a part back, if it is not at its phone yet."""
        part = self._find(account, message_id, source)
        if part is None or part.destination != destination:
            return Status.BAD_MESSAGE_ID
        if part.state is not State.ENROUTE:
            return Status.CANCEL_FAILED
        part.state = State.DELETED
        return Status.OK

    def say(self, source: str, text: str, destination: str, system_id: str, join: letters.Join) -> None:
        """A member writes to this system id; where they answer to is the last sender, unless given."""
        account = self._account(system_id)
        to = letters.address(destination) if destination else account.sender
        self._letters += 1
        bodies = letters.letter_bodies(letters.address(source), to, text, self._letters, join)
        self.counts.mo += 1
        self.counts.receipts_dropped += account.keep(Delivery(Command.DELIVER_SM, body, True) for body in bodies)
        account.pump()

    def chatter(self) -> bool:
        """The next invented member writes to somebody who listens; False if nobody does."""
        listening = sorted(account.system_id for account in self._accounts.values() if account.receivers)
        if not listening:
            return False
        seed, nth = self.behaviour.seed, self._letters
        join = letters.JOINS[nth % len(letters.JOINS)]
        who = letters.invented_number(seed, nth)
        self.say(who, letters.text_of(seed, nth), "", listening[nth % len(listening)], join)
        return True

    def try_again(self, account: Account, delivery: Delivery) -> None:
        """A client asked to be told later."""
        delivery.tries += 1
        if delivery.tries < TRIES:
            self.loop.call_later(TRY_AFTER * 2**delivery.tries, self._hand_out, account.system_id, [delivery])

    def snapshot(self) -> Counts:
        """The figures, with what is still to come."""
        waiting = sum(sum(not one.is_letter for one in account.waiting) for account in self._accounts.values())
        self.counts.receipts_waiting = len(self._due) + waiting
        return self.counts

    def _account(self, system_id: str) -> Account:
        return self._accounts.setdefault(system_id, Account(system_id))

    def _find(self, account: Account, message_id: str, source: bytes) -> Part | None:
        number = read_id(message_id, self.behaviour.id_form)
        part = self._parts.get(number) if number else None
        # not every client repeats the sender
        return part if part and part.system_id == account.system_id and source[2:] in (part.source[2:], b"\0") else None

    def _expect(self, part: Part, met: Fate) -> None:
        base = self.loop.time() + self.behaviour.latency
        for turn in met.turns[met.early :]:
            self._due.add(base + turn.after, (part, turn))
        if met.early:
            self._tell([(part, met.turns[0])])
        if self._alarm is None:
            self._set_alarm()

    def _set_alarm(self) -> None:
        at = self._due.next()
        self._alarm = None if at is None else self.loop.call_at(at, self._ring)

    def _ring(self) -> None:
        """Receipts are due."""
        self.begin_turn()
        self._tell(self._due.take(self.loop.time()))
        self._set_alarm()

    def _tell(self, due: Sequence[tuple[Part, Turn]]) -> None:
        """Hand out the receipts that are wanted."""
        # nothing is told about a part that is not in the log
        if not self.end_turn():
            return
        by_account: dict[str, list[Delivery]] = {}
        command = Command.DATA_SM if self.behaviour.receipt_with == "data_sm" else Command.DELIVER_SM
        for part, turn in due:
            state, error = self._reach(part, turn)
            if _is_wanted(part.registered, state):
                receipt = Delivery(command, self._receipt(part, turn, state, error), False)
                by_account.setdefault(part.system_id, []).append(receipt)
        for system_id, deliveries in by_account.items():
            self._hand_out(system_id, deliveries)

    def _reach(self, part: Part, turn: Turn) -> tuple[State, int]:
        """The state that a part gets to, which is not that of the turn if it was taken back."""
        if part.state is State.DELETED:
            return State.DELETED, 0
        if turn.state is not State.ENROUTE and not turn.strange:
            part.state, part.error, part.done = turn.state, turn.error, self._stamp
        return turn.state, turn.error

    def _receipt(self, part: Part, turn: Turn, state: State, error: int) -> bytes:
        return receipt_body(
            self.behaviour,
            number=part.number + (STRANGE if turn.strange else 0),
            state=state,
            error=error,
            source=part.source,
            destination=part.destination,
            submitted=part.submitted,
            done=self._stamp,
            text=part.text,
        )

    def _hand_out(self, system_id: str, deliveries: Sequence[Delivery]) -> None:
        account = self._account(system_id)
        self.counts.receipts_dropped += account.keep(deliveries)
        account.pump()

    def _within_limit(self) -> bool:
        """A bucket of one second's parts."""
        now, limit = self.loop.time(), self.behaviour.limit
        self._tokens = min(max(limit, 1.0), self._tokens + (now - self._filled) * limit)
        self._filled = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


def _is_wanted(registered: int, state: State) -> bool:
    """Whether a client asked for this receipt: of all ends, of the bad ones, of none."""
    wanted = registered & 3
    return wanted == 1 or (wanted == 2 and state not in (State.DELIVERED, State.ENROUTE))
