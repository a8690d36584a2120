"""A newsroom at work: people signed in, an edition half made, and the pages that they look at."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from benchmarks import _province as province
from broadcaster import migrations
from broadcaster.newspaper import columns, editions, items, making, publishing
from broadcaster.newspaper.item_words import Words
from broadcaster.newspaper.models import Item, Placement
from broadcaster.runtime import Runtime
from broadcaster.web.doors import DECLARED
from subscribers import importing, segments
from subscribers.actor import OPERATOR
from subscribers.db import Tx
from subscribers.errors import Conflict
from subscribers.models import Member
from subscribers.organisations import ensure_paths
from tests.newsrooms import Signed, add_user

CITY = f"{province.PROVINCE}/第3市"
COUNTY = f"{CITY}/第13县"
#: a rule that one in 4,000 is in, which no index tells
RARE = 'birth_month = 2 and birth_day = 29 or name = "解超超"'
_ITEMS = 12
_BOXES = ("in_service", "retired", "mobile", "retired of the third city", "everyone")
#: what is not looked at: steps of a sign-in that is over, files, and a list that has to be handed in first
_LEFT_OUT = (
    "/login",
    "/login/code",
    "/first",
    "/account/password",
    "/account/code",
    "/items/pictures/{id}",
    "/members/import/{token}",
    "/members/imports/{id}",
    "/members/imports/{id}/refused",
)


@dataclass(frozen=True, slots=True)
class Step:
    """A page that is looked at; or, with `fields`, a form that is sent."""

    name: str
    path: str
    fields: Mapping[str, str | list[str]] | None = None
    #: made anew each time, for what must not be the same twice
    fresh: Callable[[int], Mapping[str, str | list[str]]] | None = field(default=None, compare=False)


def take_in(house: Runtime, members: int, file: Path) -> None:
    """The province, if nobody is there yet."""
    migrations.upgrade(house.engine)
    with house.reading() as tx:
        if tx.session.scalar(select(func.max(Member.id))):
            return
    with house.begin() as tx:
        ensure_paths(tx.session, OPERATOR, list(province.branches()), now=tx.now)
    province.write_members(file, members)
    with house.begin() as tx:
        today = tx.now.astimezone(house.settings.zone).date()
        importing.import_members(tx.session, OPERATOR, file, now=tx.now, on=today)


def furnish(house: Runtime, users: int) -> list[str]:
    """Users who are signed in, a segment, items and an edition. Their tokens."""
    with house.begin() as tx:
        if editions.next_number(tx.session) == 1:
            _make_edition(tx)
    names = [f"bench{n}" for n in range(users)]
    for name in names:
        with contextlib.suppress(Conflict):
            add_user(house, name, "admin")
    return [Signed(house, name).token for name in names]


def _make_edition(tx: Tx) -> None:
    segments.save(
        tx.session, OPERATOR, "retired of the third city", f'under("{CITY}") and status = retired', now=tx.now
    )
    news = columns.add(tx.session, OPERATOR, "身边事", now=tx.now).id
    columns.add(tx.session, OPERATOR, "通知", now=tx.now)
    made = []
    for n in range(_ITEMS):
        audience = ("everyone",) if n else ("retired",)
        words = Words(f"第{n + 1}条", "社区食堂周一起供应老年套餐，12元一份。", "全文。" * 300, audience, "", news)
        made.append(items.write(tx.session, OPERATOR, words, now=tx.now).id)
        items.decide(tx.session, OPERATOR, made[-1], items.Move.ACCEPT, now=tx.now)
    making.begin(tx.session, OPERATOR, number=1, day=date(2026, 11, 23), title="入冬第一周", now=tx.now)
    making.set_variants(tx.session, OPERATOR, 1, ["retired", "mobile", "everyone"], now=tx.now)
    making.place(tx.session, OPERATOR, 1, making.layout(tx.session, OPERATOR, 1).columns[0].id, made[:3])
    publishing.publish(tx.session, OPERATOR, 1, now=tx.now)


def steps(session: Session) -> list[Step]:
    """All pages that the newsroom has, by its own list, the ones that ask most of the registry, and common forms."""
    least, most = session.execute(select(func.min(Member.id), func.max(Member.id))).one()
    item = session.scalars(select(Item.id).order_by(Item.id)).first()
    placement = session.scalars(select(Placement.id).order_by(Placement.id)).first()
    named = {"/members": (least + most) // 2, "/items": item, "/editions": 1}
    made = [Step("bare", "/health/live")]
    for method, path in sorted(DECLARED):
        if method == "GET" and path not in _LEFT_OUT:
            number = named.get(path.partition("/{")[0], 1)
            filled = path.replace("{id}", str(number)).replace("{name}", "0").replace("{number}", "1")
            made.append(Step(path, filled))
    made += [
        Step("members by name", "/members?q=张伟"),
        Step("members by pinyin", "/members?q=zhangwei"),
        Step("members by initials", "/members?q=zw"),
        Step("members inside a name", "/members?q=国"),
        Step("members of a rule", '/members?rule=status = retired and age >= 60 and not tag = "书画"'),
        Step("members of a place", f'/members?rule=under("{CITY}") and status = retired'),
        Step("members of a rare rule", f"/members?rule={RARE}"),
        Step("members of a rule, later", f"/members?rule=status = retired&after={most - (most - least) // 10}"),
        Step("tree of a province", f"/members/organisations?under={province.PROVINCE}"),
        Step("tree of a city", f"/members/organisations?under={CITY}"),
        Step("tree of a county", f"/members/organisations?under={COUNTY}"),
        Step("segment tried out", '/members/segments?rule=status = retired and age >= 60 and not tag = "书画"'),
        Step("segment tried out, rare", f"/members/segments?rule={RARE}"),
        Step("preview while typing", f"/editions/1?item={item}&sms=社区食堂周一起供应老年套餐"),
        Step(
            "variant while typing",
            "/editions/1/variants/0/look",
            {"variant": "retired", "body": "〔姓名〕，明天开会。"},
        ),
        Step("variants ticked", "/editions/1/who/look", {"act": "tick", "who": "retired"}),
        Step("variants ticked, others", "/editions/1/who/look", fresh=_ticks),
        Step("reading page", "/p/1"),
        Step("archive", "/p?q=食堂"),
        Step("form: number looked for", "/members", {"q": "19912345678", "rule": ""}),
        Step("form: end of a number", "/members", {"q": "45678", "rule": ""}),
        Step("form: item moved", "/editions/1/move", {"placement": str(placement), "to": "down"}),
        Step("form: segment tried out", "/members/segments/look", {"name": "", "rule": "status = retired"}),
        Step("form: segment saved", "/members/segments", fresh=_segment),
        Step("form: item written", "/items/new", fresh=_item),
    ]
    return made


def _ticks(n: int) -> Mapping[str, str | list[str]]:
    """Some of the boxes, as nobody has ticked them before."""
    chance = random.Random(n)
    boxes = [*_BOXES, *(f'under("{province.PROVINCE}/第{city}市")' for city in range(1, 12))]
    return {"act": "tick", "who": chance.sample(boxes, chance.randint(2, 5))}


def _segment(n: int) -> dict[str, str]:
    return {"name": f"of the bench {n % 20}", "rule": f"age >= {40 + n % 40}"}


def _item(n: int) -> dict[str, str]:
    words = {"headline": f"练习{n}", "sms": f"第{n}句。", "full": "全文。" * 100}
    return words | {"audience": "everyone", "source": "", "column": "", "valid_from": "", "valid_to": ""}
