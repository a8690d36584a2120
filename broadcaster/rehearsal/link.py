"""One connection: finds the PDUs in what arrives, and answers each."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, cast

from broadcaster.rehearsal import pdu
from broadcaster.rehearsal.account import Account, Delivery
from broadcaster.rehearsal.garbage import garbage
from broadcaster.rehearsal.outgoing import Outgoing
from broadcaster.rehearsal.pdu import HEADER, LONGEST, RESPONSE, Command, Malformed, Status, answer, pack
from broadcaster.rehearsal.pieces import read_piece

if TYPE_CHECKING:
    from broadcaster.rehearsal.carrier import Carrier

#: octets on their way to one client that the kernel keeps
KERNEL_KEEPS = 1 << 18
#: seconds in which a connection must bind
BIND_WITHIN = 30.0
#: how long the answer to a part waits whose receipt goes first
EARLY_BY = 0.1
#: a client that says so wants to be asked again: ESME_RX_T_APPN, and its own throttling
_LATER = (0x64, Status.THROTTLED, Status.QUEUE_FULL)

_BINDS = (Command.BIND_RECEIVER, Command.BIND_TRANSMITTER, Command.BIND_TRANSCEIVER)
_GREETING = b"REHEARSAL\0" + pdu.tlv(pdu.Tag.INTERFACE_VERSION, bytes((pdu.INTERFACE_VERSION,)))


class Link(asyncio.Protocol):
    """What is wrong with what a client sends ends its own connection at most."""

    def __init__(self, carrier: Carrier) -> None:
        self.carrier = carrier
        self.number = 0
        self.account: Account | None = None
        self.may_submit = False
        self.may_receive = False
        self.accepted = 0
        #: it takes nothing and says nothing any more: silent, half-open or hung up
        self.mute = False
        self._outgoing: Outgoing
        self._transport: asyncio.Transport
        self._patience: asyncio.TimerHandle
        self._rest = b""
        self._answers: list[bytes] = []
        self._deliveries: list[bytes] = []
        self._unacknowledged: dict[int, Delivery] = {}
        self._sequence = 0
        self._full = False
        self._pressed = False
        self._greeted = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody called."""
        self._transport = cast(asyncio.Transport, transport)
        # without it the kernel keeps megabytes of answers for a client that does not read
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_KEEPS)
        self._outgoing = Outgoing(self._transport, self.carrier.behaviour.drip, self._press)
        self.carrier.connected(self)
        self._patience = self.carrier.loop.call_later(BIND_WITHIN, self.hang_up)

    def connection_lost(self, exc: Exception | None) -> None:
        """It ended, however."""
        self.mute = True
        self._patience.cancel()
        self.carrier.disconnected(self, list(self._unacknowledged.values()))
        self._unacknowledged.clear()

    def pause_writing(self) -> None:
        """The client does not read."""
        self._full = True
        self._listen_or_not()

    def resume_writing(self) -> None:
        """It reads again."""
        self._full = False
        self._listen_or_not()
        if self.account:
            self.account.pump()

    def data_received(self, data: bytes) -> None:
        """Octets arrived: answer every PDU that is whole."""
        if self.mute:
            return
        buffer = self._rest + data if self._rest else data
        at, end = 0, len(buffer)
        self.carrier.begin_turn()
        while end - at >= 16 and not self.mute:
            length, command, status, sequence = HEADER.unpack_from(buffer, at)
            if not 16 <= length <= LONGEST:
                break
            if end - at < length:
                break
            self._take(command, status, sequence, buffer, at + 16, at + length)
            at += length
        self._rest = buffer[at:]
        # a length that cannot be is told by its four octets: more may never come
        if len(self._rest) >= 4 and not 16 <= int.from_bytes(self._rest[:4]) <= LONGEST and not self.mute:
            self._answers.append(pack(Command.GENERIC_NACK, Status.BAD_COMMAND_LENGTH, 0))
            self.carrier.counts.malformed += 1
            self._end_turn()
            self.hang_up()
            return
        self._end_turn()

    @property
    def room(self) -> int:
        """How many deliveries it takes now."""
        if self.mute or self._full or not self._greeted:
            return 0
        return self.carrier.behaviour.receipt_window - len(self._unacknowledged)

    def deliver(self, delivery: Delivery) -> None:
        """Send it with the next `flush`, and wait for its acknowledgement."""
        self._sequence = self._sequence % 0x7FFF_FFFF + 1
        self._unacknowledged[self._sequence] = delivery
        self.carrier.counts.receipts += not delivery.is_letter
        self.carrier.counts.mo_parts += delivery.is_letter
        self._deliveries.append(pack(delivery.command, 0, self._sequence, delivery.body))

    def flush(self) -> None:
        """Let the deliveries go."""
        if self._deliveries:
            self._outgoing.send(b"".join(self._deliveries))
            self._deliveries.clear()

    def hang_up(self) -> None:
        """End the connection after what was sent."""
        if not self._transport.is_closing():
            self.carrier.counts.hung_up += 1
        self.mute = True
        self._transport.close()

    def cut(self) -> None:
        """End the connection now, whatever is on its way."""
        self.mute = True
        self._transport.abort()

    def say_goodbye(self) -> None:
        """Ask the client to unbind, as a carrier does that goes home."""
        if self.account and not self.mute:
            self._outgoing.send(pack(Command.UNBIND, 0, 0x7FFF_FFFF))
        else:
            self.cut()

    def _take(self, command: int, status: int, sequence: int, buffer: bytes, at: int, end: int) -> None:
        try:
            if command == Command.SUBMIT_SM:
                self._submit(sequence, buffer, at, end)
            elif command & RESPONSE:
                self._hear(command, status, sequence)
            elif command in _BINDS:
                self._bind(command, sequence, buffer, at, end)
            elif command == Command.ENQUIRE_LINK:
                self._answers.append(answer(command, 0, sequence))
            elif command == Command.UNBIND:
                self._unbind(sequence)
            elif command in (Command.QUERY_SM, Command.CANCEL_SM):
                self._about_a_message(command, sequence, buffer, at, end)
            else:
                self.carrier.counts.malformed += 1
                self._answers.append(pack(Command.GENERIC_NACK, Status.BAD_COMMAND, sequence))
        except Malformed as error:
            self.carrier.counts.malformed += 1
            self._answers.append(answer(command, error.status, sequence))

    def _submit(self, sequence: int, buffer: bytes, at: int, end: int) -> None:
        if self.account is None or not self.may_submit:
            raise Malformed(Status.BAD_BIND_STATUS)
        carrier = self.carrier
        submit = pdu.read_submit(buffer, at, end)
        piece = read_piece(submit, carrier.behaviour.default_alphabet)
        status, message_id, fate = carrier.take(self, self.account, sequence, submit, piece)
        said = answer(Command.SUBMIT_SM, status, sequence, message_id)
        if fate.garbage is not None:
            said = garbage(fate.garbage) + said
        if status:
            self._answers.append(said)
            return
        self.accepted += 1
        behaviour = carrier.behaviour
        if behaviour.drop_after and self.accepted >= behaviour.drop_after:
            # the worst moment: it is accepted, and the client does not know
            self._end_turn()
            self.hang_up()
            return
        if fate.early:
            self._outgoing.send(said, behaviour.latency + EARLY_BY)
        else:
            self._answers.append(said)
        if behaviour.silent_after and self.accepted >= behaviour.silent_after:
            self._fall_silent()
        elif behaviour.half_open_after and self.accepted >= behaviour.half_open_after:
            self._fall_silent()
            self._transport.pause_reading()

    def _hear(self, command: int, status: int, sequence: int) -> None:
        """An answer of the client; one to something that was never asked is overheard."""
        if command == Command.UNBIND | RESPONSE:
            self._transport.close()
            return
        delivery = self._unacknowledged.pop(sequence, None)
        if delivery is None or self.account is None:
            return
        counts = self.carrier.counts
        if not status:
            counts.mo_acknowledged += delivery.is_letter
            counts.receipts_acknowledged += not delivery.is_letter
            return
        counts.receipts_refused += not delivery.is_letter
        if status in _LATER:
            self.carrier.try_again(self.account, delivery)

    def _bind(self, command: int, sequence: int, buffer: bytes, at: int, end: int) -> None:
        asked = pdu.read_bind(buffer, at, end)
        if self.account is not None:
            raise Malformed(Status.ALREADY_BOUND)
        status = self.carrier.admit(asked)
        self._answers.append(answer(command, status, sequence, _GREETING))
        if status:
            return
        self.may_submit = command != Command.BIND_RECEIVER
        self.may_receive = command != Command.BIND_TRANSMITTER
        self.account = self.carrier.bound(self, asked.system_id)
        self._patience.cancel()
        self._end_turn()
        self._outgoing.after_all(self.carrier.behaviour.latency, self._greet)

    def _greet(self) -> None:
        """The answer to the bind has left: what waits may come."""
        self._greeted = True
        if self.account:
            self.account.pump()

    def _unbind(self, sequence: int) -> None:
        self._answers.append(answer(Command.UNBIND, Status.OK if self.account else Status.BAD_BIND_STATUS, sequence))
        self._end_turn()
        self.mute = True
        self._outgoing.after_all(self.carrier.behaviour.latency, self._transport.close)

    def _about_a_message(self, command: int, sequence: int, buffer: bytes, at: int, end: int) -> None:
        if self.account is None or not self.may_submit:
            raise Malformed(Status.BAD_BIND_STATUS)
        if command == Command.QUERY_SM:
            status, body = self.carrier.query(self.account, *pdu.read_query(buffer, at, end))
        else:
            status, body = self.carrier.cancel(self.account, *pdu.read_cancel(buffer, at, end)), b""
        self._answers.append(answer(command, status, sequence, body))

    def _end_turn(self) -> None:
        """Nothing is answered before it is in the log."""
        if not self.carrier.end_turn():
            return
        answers, self._answers = b"".join(self._answers), []
        # a bind and an enquire_link wait as well: the line is slow, not one kind of message
        self._outgoing.send(answers, self.carrier.behaviour.latency)
        if self.account and self.account.waiting:
            self.account.pump()

    def _fall_silent(self) -> None:
        self._end_turn()
        self.mute = True

    def _press(self, pressed: bool) -> None:
        self._pressed = pressed
        self._listen_or_not()

    def _listen_or_not(self) -> None:
        """A client that does not fetch its answers is not listened to: they would pile up."""
        if self.mute:
            return
        if self._full or self._pressed:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()
