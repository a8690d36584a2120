"""The wiring: from frozen settings to all that a door needs. Only here are transactions opened and committed."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError
from sqlalchemy.orm import Session

from broadcaster.access.secret import secret_key
from broadcaster.campaigns import profile_changes
from broadcaster.campaigns.audience import Route
from broadcaster.campaigns.check import Way
from broadcaster.campaigns.dress import Dress
from broadcaster.campaigns.models import Campaign, Lane
from broadcaster.campaigns.profiles import Profile, Tariff, carried, is_closed, profile_on, tariffs
from broadcaster.campaigns.quiet_hours import quiet_until
from broadcaster.delivery import leases, owners, press, reconcile
from broadcaster.delivery.alone import Alone
from broadcaster.delivery.control import submit_queue
from broadcaster.delivery.locks import Locks, locks_for
from broadcaster.delivery.models import Owner
from broadcaster.delivery.owners import Ownership
from broadcaster.delivery.press import Press
from broadcaster.delivery.recording import ClaimedTurn
from broadcaster.delivery.throttle import Throttle
from broadcaster.gateways import registry
from broadcaster.gateways.contract import Gateway, GatewayContext, ListeningGateway
from broadcaster.keeping import restoring
from broadcaster.keeping.emptying import Keeping
from broadcaster.keeping.marks import Mark, Marks
from broadcaster.keeping.restoring import Life
from broadcaster.replies.answer import Desk
from broadcaster.settings import Settings
from subscribers.clock import Now, monotonic, utc_now
from subscribers.db import Tx, Wake, for_reading, make_engine, taken_wakes
from subscribers.errors import BroadsheetError, Invalid, Unavailable
from subscribers.trouble import in_words

#: seconds for which a sender that died is left to its own machine, whose journal leaves fewer parts in doubt
LEFT_TO_ITS_MACHINE = 30.0

Publish = Callable[[Sequence[Wake]], None]
Kind = TypeVar("Kind", bound="Runtime")


@dataclass(slots=True)
class Runtime:
    """One process's share of the installation. Safe for threads."""

    settings: Settings
    engine: Engine
    locks: Locks
    gateways: Mapping[str, Gateway]
    throttles: Mapping[str, Throttle]
    marks: Marks
    clock: Now = utc_now
    #: set by `tasks`: how hints reach the workers. Without it they stay in the database until a sweep finds the work
    publish: Publish | None = None
    stopping: threading.Event = field(default_factory=threading.Event)
    alone: Alone = field(default_factory=Alone)
    #: gateways whose connection is held by this process, and stands
    linked: set[str] = field(default_factory=set)
    #: for overdue receipts, when: see `reconcile.expire`
    looked: dict[tuple[str, int | None], datetime] = field(default_factory=dict)
    #: of the database, as this process knows it
    _life: str = ""
    _owner: Ownership | None = None
    _guard: threading.Lock = field(default_factory=threading.Lock)
    #: owner and gateway, where nobody has to hold a connection
    _joined: set[tuple[int, str]] = field(default_factory=set)
    #: senders of other machines that were found dead, and when
    _found_dead: dict[int, float] = field(default_factory=dict)

    @contextlib.contextmanager
    def begin(self) -> Iterator[Tx]:
        """A transaction that may write: committed at the end of the block, rolled back if it raises.

        The hints left on the session are published after the commit.
        """
        with self._session(self.engine) as session:
            with session.begin():
                yield Tx(session, self.clock())
            wakes = taken_wakes(session)
        if wakes and self.publish:
            self.publish(wakes)

    @contextlib.contextmanager
    def reading(self) -> Iterator[Tx]:
        """A transaction that only reads; on SQLite it does not wait for the writer."""
        with self._session(for_reading(self.engine)) as session, session.begin():
            yield Tx(session, self.clock())

    @contextlib.contextmanager
    def _session(self, engine: Engine) -> Iterator[Session]:
        with Session(engine, expire_on_commit=False) as session:
            try:
                yield session
            except (IntegrityError, OperationalError, ProgrammingError) as error:
                raise in_words(error) from error

    def profiles(self, session: Session, instant: datetime) -> dict[str, Profile]:
        """What is set for each gateway on the day of an instant, in the paper's own time."""
        day = instant.astimezone(self.settings.zone).date()
        changes = profile_changes.by_gateway(session)
        return {name: profile_on(changes.get(name, ()), day) for name in self.gateways}

    def desk(self, tx: Tx) -> Desk:
        """How letters are answered today."""
        paper, today = self.settings.paper, self.profiles(tx.session, tx.now)
        return Desk(
            paper=paper.name,
            signature=paper.signature,
            opt_out=paper.opt_out,
            language=self.settings.paper.language,
            gateways={
                # a turn hands answers over in the width of the configuration, whatever the day
                name: carried(gateway.capabilities, today[name].model_copy(update={"reference_bits": None}))
                for name, gateway in self.gateways.items()
            },
            zone=self.settings.zone,
            profiles=today,
        )

    @property
    def secret(self) -> bytes:
        """The installation's own secret; made when it is first asked for. Raises `Unavailable`, `Invalid`."""
        return secret_key(self.settings.access.secret, self.settings.data)

    @property
    def dress(self) -> Dress:
        """What every campaign is dressed in."""
        return Dress(self.settings.paper.signature, self.settings.paper.opt_out)

    def ways(self, tx: Tx, at: datetime | None = None) -> dict[str, Way]:
        """The gateways as a check sees them, today; or on the day of an instant to come."""
        profiles = self.profiles(tx.session, max(at or tx.now, tx.now))
        found = {}
        for name, each in self.gateways.items():
            config = each.config
            way = Way(name, each.capabilities, each.rehearses, config.price, config.currency, config.parts_per_second)
            found[name] = way.on(profiles[name])
        return found

    def tariffs(self, session: Session) -> dict[str, list[Tariff]]:
        """What a part has cost at each gateway, and since when."""
        changes = profile_changes.by_gateway(session)
        return {
            name: tariffs(changes.get(name, ()), gateway.config.price, gateway.config.currency)
            for name, gateway in self.gateways.items()
        }

    @property
    def keeping(self) -> Keeping:
        """How long words are kept."""
        days = self.settings.keeping
        return Keeping(timedelta(days.texts), timedelta(days.receipts), timedelta(days.letters))

    @property
    def receipt_timeouts(self) -> dict[str, timedelta]:
        """How long the receipts of each gateway may take."""
        return {name: timedelta(seconds=gateway.config.receipt_timeout) for name, gateway in self.gateways.items()}

    def route(self, campaign: Campaign) -> Route:
        """Which gateways carry this campaign."""
        routes = self.settings.routes
        if campaign.gateway:
            return Route(self._known(campaign.gateway))
        named = (routes.urgent if campaign.lane == Lane.URGENT else ()) or routes.default
        first, *then = named or self.gateways.keys()
        return Route(
            self._known(first),
            {operator: self._known(gateway) for operator, gateway in routes.by_operator.items()},
            tuple(map(self._known, then)) if named else (),
        )

    def up_to(self, gateway: str, session: Session, now: datetime, look: profile_changes.Lately | None = None) -> Lane:
        """The last lane that may be handed over now.

        Our own quiet hours let urgent notices through; outside of the operator's window only answers go.
        """
        zone = self.settings.zone
        changes = (look or profile_changes.Lately(gateway))(session)
        if is_closed(profile_on(changes, now.astimezone(zone).date()), zone, now):
            return Lane.ANSWER
        return Lane.BULK if quiet_until(self.settings.paper.quiet_hours, zone, now) is None else Lane.URGENT

    def look_back(self, tx: Tx) -> Life:
        """Stop everything that would go out by itself if the database is older than what left from here.

        To be asked in a transaction that writes, before anything is claimed, started or taken over in it.
        """
        life = restoring.look(tx.session, self.marks, now=tx.now)
        self._life = life.name
        return life

    def press(self, gateway: str) -> Press:
        """Everything that handing parts over for this gateway needs; makes this process an owner if it is none yet."""
        ownership = self._ownership()
        return Press(
            begin=self.begin,
            gateway=self.gateways[self._known(gateway)],
            throttle=self.throttles[gateway],
            ownership=ownership,
            up_to=partial(self.up_to, gateway, look=profile_changes.Lately(gateway)),
            stopping=self.stopping.is_set,
            sleep=self._sleep,
            on_claimed=self._mark,
        )

    def send(self, gateway: str, *, limit: int | None = None) -> bool:
        """Hand over what is due, unless a thread of this process is at it: then that one looks again.

        One press per gateway and process: what is in doubt after a crash stays within one window. Returns whether it
        stopped after `limit` turns, with more to do.
        """
        if self.is_held(self._known(gateway)) and gateway not in self.linked:
            # whoever holds the connection looks for work by itself
            return False

        def work() -> bool:
            self.join_in(gateway)
            return press.run(self.press(gateway), limit=limit)

        return self.by_one(submit_queue(gateway), work)

    def by_one(self, what: str, work: Callable[[], bool]) -> bool:
        """See `Alone.do`."""
        return self.alone.do(what, work, stopping=self.stopping.is_set)

    def between_turns(self, gateway: str) -> contextlib.AbstractContextManager[None]:
        """Nothing of this process is being handed over to this gateway, for the length of the block."""
        return self.alone.nobody_at(submit_queue(gateway))

    def take_place(self, gateway: str) -> int:
        """A place at a gateway, for as long as this process lives, counted from 1; 0 when all of them are held.

        Asked again, it is the same. Places of processes that died are free.
        """
        owner = self._ownership()
        places = self.gateways[self._known(gateway)].config.binds if self.is_held(gateway) else None
        with self.begin() as tx:
            if owners.is_ended(tx.session, owner.id, hold=True):
                return 0
            # a process that has lost its lock registers anew, and its connection may stand all the while
            take = partial(leases.take, tx.session, gateway, owner.id, places=places, now=tx.now)
            place, new = take(is_bound=gateway in self.linked)
            if not place:
                self.take_over(tx)
                place, new = take(is_bound=gateway in self.linked)
        if new and self.throttles[gateway].rate:
            # the others have to see that they share with us, and whoever sent here before us may just have
            self.throttles[gateway].slow_down(1.0)
        return place

    def take_over(self, tx: Tx) -> int:
        """Bury the senders that died. Returns the parts that are in doubt because of it."""
        # first: a journal tells nothing of a database that was restored
        self.look_back(tx)
        return reconcile.take_over(tx.session, self.locks, self.journals, self._nobody_else_does, now=tx.now)

    def _nobody_else_does(self, owner: Owner) -> bool:
        """Whether a dead sender of another machine has been left to that machine for long enough."""
        return monotonic() - self._found_dead.setdefault(owner.id, monotonic()) >= LEFT_TO_ITS_MACHINE

    @property
    def journals(self) -> Path:
        """Where senders of this machine note what leaves."""
        return self.settings.data / "journals"

    def is_held(self, gateway: str) -> bool:
        """Whether only who holds its connection can send for this gateway."""
        return isinstance(self.gateways[gateway], ListeningGateway)

    def tell_link(self, gateway: str, error: BroadsheetError | None) -> None:
        """Write down how the connection of this process to a gateway is: it stands, or what is wrong with it."""
        owner = self._ownership()
        with self.begin() as tx:
            if error is None:
                leases.bound(tx.session, gateway, owner.id, now=tx.now)
            else:
                leases.unbound(tx.session, gateway, owner.id, error, now=tx.now)

    def join_in(self, gateway: str) -> None:
        """Have a share in a gateway that anybody may send for."""
        owner = self._ownership()
        if not self.is_held(gateway) and (owner.id, gateway) not in self._joined:
            self.take_place(gateway)
            self._joined.add((owner.id, gateway))

    def close(self) -> None:
        """Let go of gateways, locks and connections, in this order."""
        self.stopping.set()
        for gateway in self.gateways.values():
            gateway.close()
        with self._guard:
            owner, self._owner = self._owner, None
        if owner is not None and owner.valid():
            with contextlib.suppress(OperationalError, Unavailable), self.begin() as tx:
                # what is still in a turn stays for whoever takes over
                owners.sign_off(tx.session, owner.id, now=tx.now)
            owner.journal.close()
            owner.held.release()
        self.engine.dispose()

    def _ownership(self) -> Ownership:
        with self._guard:
            if self._owner is None or not self._owner.valid() or self._is_ended(self._owner):
                self._owner = self._registered()
            return self._owner

    def _registered(self) -> Ownership:
        owner = None
        try:
            with self.begin() as tx:
                self.look_back(tx)
                owner = owners.register(tx.session, self.locks, self.journals, now=tx.now)
        except Exception:
            if owner is not None:
                # the row was not written after all; its number, and with it this lock, will be used again
                owner.journal.close()
                owner.held.release()
            raise
        self._clear_journals()
        return owner

    def _clear_journals(self) -> None:
        """Those of senders that were buried have told all they had to tell."""
        found = {int(path.name.removeprefix("owner-")): path for path in self.journals.glob("owner-[0-9]*")}
        with self.reading() as tx:
            done = owners.ended(tx.session, found)
        for owner_id in done:
            found[owner_id].unlink(missing_ok=True)

    def _mark(self, turn: ClaimedTurn) -> None:
        self.marks.raise_to(self._life, Mark(turn.id, max(part.part_id for part in turn.parts)))

    def _is_ended(self, owner: Ownership) -> bool:
        with self.reading() as tx:
            return owners.is_ended(tx.session, owner.id)

    def _known(self, gateway: str) -> str:
        if gateway not in self.gateways:
            raise Invalid(
                "There is no gateway {name}.",
                hint="The configuration has: {known}.",
                name=gateway,
                known=list(self.gateways),
            )
        return gateway

    def _sleep(self, seconds: float) -> None:
        if seconds > 0:
            self.stopping.wait(seconds)


def make_runtime(settings: Settings, *, clock: Now = utc_now) -> Runtime:
    """The installation as these settings describe it. Gateways are not opened and no database is touched yet."""
    return assemble(Runtime, settings, clock=clock)


def assemble(kind: type[Kind], settings: Settings, *, clock: Now = utc_now) -> Kind:
    """The same as a runtime of a kind that a door made for itself."""
    if settings.store_url.startswith("sqlite"):
        _make_folder(settings)
    engine = make_engine(settings.store_url)
    context = GatewayContext(data_dir=settings.data, time_zone=settings.zone, public_url=settings.web.public_url)
    gateways = {name: registry.make(name, table, context) for name, table in settings.gateways.items()}
    return kind(
        settings=settings,
        engine=engine,
        locks=locks_for(engine, settings.data / "locks"),
        gateways=gateways,
        throttles={name: Throttle(gateway.config.parts_per_second) for name, gateway in gateways.items()},
        marks=Marks(settings.data / "marks"),
        clock=clock,
    )


def _make_folder(settings: Settings) -> None:
    try:
        settings.data.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(
            "The data directory {path} cannot be made: {detail}.",
            hint="Name another one with BROADSHEET_DATA.",
            path=str(settings.data),
            detail=error.strerror or str(error),
        ) from error
