"""The page at `/`: what it shows, in both languages, and what it never shows."""

from __future__ import annotations

import re
from datetime import timedelta
from html.parser import HTMLParser

import httpx2
import pytest

from broadcaster.access import users
from broadcaster.access.models import User
from broadcaster.campaigns.models import Campaign
from broadcaster.delivery import leases
from broadcaster.delivery.models import Batch, Doubt, Message, Owner, Part, ReceiptLot
from broadcaster.delivery.states import State
from broadcaster.gateways.smpp import road
from broadcaster.gateways.smpp.config import SmppConfig
from broadcaster.newspaper.models import Edition
from broadcaster.replies.models import Letter
from broadcaster.runtime import Runtime
from subscribers.actor import OPERATOR
from tests.factories import generated_msisdn, make_organisation
from tests.tallies import recount

VOID = {"meta", "link", "rect", "br", "hr", "img", "input"}
SENT = {
    State.DELIVERED: 30,
    State.SUBMITTED: 3,
    State.SUBMITTING: 1,
    State.IN_NETWORK: 2,
    State.QUEUED: 6,
    State.HELD: 1,
    State.FAILED: 2,
    State.REJECTED: 1,
    State.EXPIRED: 1,
    State.UNKNOWN: 1,
}


class Page(HTMLParser):
    """The page as a reader has it; it fails for a tag that is not closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.words.append(data.strip())

    @property
    def text(self) -> str:
        return "\n".join(self.words)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def look(site: httpx2.Client, language: str = "en", **query: str) -> Page:
    answer = site.get("/", params=query, headers={"accept-language": language, "accept": "text/html"})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return Page(answer.text)


@pytest.fixture
def campaign(house: Runtime) -> int:
    """An edition half sent, with letters, a receipt and a part in doubt."""
    with house.begin() as tx:
        session, now = tx.session, tx.now
        edition = Edition(number=128, date=now.date(), title="<初雪>", source="", created_by="x", created_at=now)
        session.add(edition)
        session.flush()
        sending = Campaign(
            kind="edition",
            title="<初雪>",
            edition_id=edition.id,
            state="sending",
            rule="everyone",
            created_by="x",
            created_at=now,
            started_at=now - timedelta(minutes=4),
            prepared_at=now - timedelta(minutes=3),
        )
        draft = Campaign(kind="notice", title="讲座", state="draft", rule="everyone", created_by="x", created_at=now)
        session.add_all([sending, draft])
        session.flush()
        for state, n in SENT.items():
            session.add_all(Message(campaign_id=sending.id, msisdn=generated_msisdn(), state=state) for _ in range(n))
        for reason in ("opted_out", "opted_out", "no_number"):
            session.add(Message(campaign_id=sending.id, state=State.SKIPPED, reason=reason))
        recount(session)
        session.add(
            Letter(
                gateway="carrier",
                provider_id="1",
                msisdn="+8619912345678",
                destination="1069",
                state="open",
                text="水管漏了 <b>，电话 138 0000-2231 或 １３８００００２２３１",
                received_at=now - timedelta(minutes=3),
            )
        )
        session.add(
            Letter(
                gateway="carrier",
                provider_id="2",
                msisdn="+8619912340000",
                destination="1069",
                state="handled",
                handled_as="opt_out",
                text="R",
                received_at=now - timedelta(hours=20),
            )
        )
        came = now - timedelta(minutes=1)
        session.add(ReceiptLot(id=120, gateway="carrier", receipts=100, received_at=came, told=""))
        session.flush()
        message = session.query(Message).filter_by(state=State.UNKNOWN).one()
        part = Part(
            message_id=message.id, attempt=1, number=1, state=State.UNKNOWN, gateway="carrier", encoding="ucs2", text=""
        )
        session.add(part)
        session.flush()
        session.add(Doubt(part_id=part.id, gateway="carrier", msisdn=message.msisdn or "", since=now))
    return sending.id


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
class TestEmpty:
    def test_english(self, site: httpx2.Client) -> None:
        page = look(site)
        assert page.all("html")[0]["lang"] == "en"
        for words in ("晨晖手机报", "Nothing has been sent yet.", "No letters yet.", "carrier", "simulator", "—"):
            assert words in page.text
        assert page.all("svg") == []

    def test_chinese(self, site: httpx2.Client) -> None:
        page = look(site, "zh-CN")
        assert page.all("html")[0]["lang"] == "zh-CN"
        for words in ("晨晖手机报", "还没有发送过。", "还没有来信。", "网关", "最近回执"):
            assert words in page.text

    def test_the_other_language_is_a_link_away(self, site: httpx2.Client) -> None:
        links = [link for link in look(site).all("a") if link.get("hreflang")]
        assert links[0]["href"] == "?lang=zh"
        assert look(site, "en", lang="zh").all("html")[0]["lang"] == "zh-CN"


class TestSending:
    def test_the_figures_add_up(self, site: httpx2.Client, campaign: int) -> None:
        page = look(site)
        at = page.words.index("delivered")
        tiles = dict(zip(page.words[at : at + 12 : 2], page.words[at + 1 : at + 13 : 2], strict=True))
        assert tiles == {
            "delivered": "30",
            "awaiting receipt": "6",
            "queued": "7",
            "not delivered": "4",
            "unsure": "1",
            "skipped": "3",
        }
        assert sum(map(int, tiles.values())) - 3 == sum(SENT.values()) == 48
        assert "Together 48 people. Besides, 3 were skipped." in page.text
        assert "opted out 2 · no number 1" in page.text
        assert "Sent to 41 of 48 people (85.4%)" in page.text

    def test_chinese(self, site: httpx2.Client, campaign: int) -> None:
        page = look(site, "zh")
        at = page.words.index("送达")
        assert page.words[at : at + 12 : 2] == ["送达", "等回执", "排队", "未送达", "不确定", "跳过"]
        for words in (
            "第 128 期：<初雪>",
            "▶ 发送中",
            "已发 41 人，共 48 人（85.4%）",
            "以上合计 48 人。另有跳过 3 人。",
        ):
            assert words in page.text
        assert "已退订 2 · 没有手机号 1" in page.text

    def test_the_bar_is_as_wide_as_its_figures(self, site: httpx2.Client, campaign: int) -> None:
        ground, *pieces = look(site).all("rect")
        assert [piece["class"] for piece in pieces] == ["delivered", "submitted", "queued", "failed", "unknown"]
        assert sum(int(piece["width"] or 0) for piece in pieces) == int(ground["width"] or 0)
        ends = [int(piece["x"] or 0) + int(piece["width"] or 0) for piece in pieces]
        assert [int(piece["x"] or 0) for piece in pieces] == [0, *ends[:-1]]

    def test_the_title_begins_with_how_far_it_is(self, site: httpx2.Client, campaign: int) -> None:
        page = look(site)
        assert "85.4% No. 128: <初雪> · 晨晖手机报" in page.words

    def test_parts_in_doubt_are_told(self, site: httpx2.Client, campaign: int) -> None:
        assert "1 part was handed over without an answer." in look(site).text

    def test_the_last_receipt_of_each_gateway(self, site: httpx2.Client, campaign: int) -> None:
        words = look(site).words
        at = words.index("Last receipt")
        assert words[at + 1 : at + 7] == ["simulator", "for rehearsing", "—", "carrier", "calling", "1 minute ago"]

    def test_a_note_is_told_in_the_language_of_the_reader(
        self, house: Runtime, site: httpx2.Client, campaign: int
    ) -> None:
        with house.begin() as tx:
            paused = tx.session.get_one(Campaign, campaign)
            paused.state, paused.note, paused.note_fields = "paused", "There is no gateway {name}.", {"name": "{王}"}
        assert "There is no gateway {王}." in look(site).text
        chinese = look(site, "zh").text
        assert "‖ 已暂停" in chinese
        assert "没有网关 {王}。" in chinese

    @pytest.mark.parametrize(
        ("language", "nobody", "refused"),
        [
            (
                "en",
                "Gateway carrier: nobody sends for it. `broadsheet up` does, or `broadsheet gateways run carrier`.",
                (
                    "Gateway carrier: the carrier says that the password is wrong (0x0000000E). "
                    "Compare `password` with what the carrier gave; too many tries may lock the account."
                ),
            ),
            (
                "zh",
                "网关 carrier：没有进程在发送。请运行 `broadsheet up`，或 `broadsheet gateways run carrier`。",
                "网关 carrier：运营商说密码不对（0x0000000E）。请与运营商给的 `password` 核对；试得太多账号可能被锁。",
            ),
        ],
        ids=["en", "zh"],
    )
    def test_what_keeps_it_from_going_out(
        self, house: Runtime, site: httpx2.Client, campaign: int, language: str, nobody: str, refused: str
    ) -> None:
        said = {"en": "Gateway carrier: nothing leaves by it now.", "zh": "网关 carrier：现在发不出去。"}[language]

        def notes() -> list[str]:
            return [words for words in look(site, language).words if words.startswith(("Gateway ", "网关 "))]

        assert notes() == [], "all that was cut into batches is out"
        with house.begin() as tx:
            tx.session.add(Batch(campaign_id=campaign, gateway="carrier", lane=2, low=1, high=9, cursor=1))
        assert notes() == [said, nobody]
        with house.begin() as tx:
            sender = Owner(host="<b>", pid=7, started_at=tx.now)
            tx.session.add(sender)
            tx.session.flush()
            held = house.locks.take(sender.id)
            leases.take(tx.session, "carrier", sender.id, places=1, now=tx.now)
            config = SmppConfig(kind="smpp", host="smpp.carrier.example", system_id="paper")
            leases.unbound(tx.session, "carrier", sender.id, road.refused("carrier", config, 0x0E), now=tx.now)
        assert notes() == [said, refused]
        with house.begin() as tx:
            leases.bound(tx.session, "carrier", sender.id, now=tx.now)
        assert notes() == []
        assert held is not None
        held.release()
        assert notes() == [said, nobody]

    def test_a_draft_has_no_figures(self, site: httpx2.Client, campaign: int) -> None:
        words = look(site).words
        assert words[words.index("讲座") + 1 :][:3] == ["○ draft", "—", "—"]

    def test_it_may_be_sent_before_all_are_written_down(
        self, house: Runtime, site: httpx2.Client, campaign: int
    ) -> None:
        written = "The list of recipients is being written."
        assert written not in look(site).text
        with house.begin() as tx:
            tx.session.get_one(Campaign, campaign).prepared_at = None
        assert f"Sent to 41 of 48 people (85.4%) · {written}" in look(site).text
        assert "已发 41 人，共 48 人（85.4%） · 正在写收件人名单。" in look(site, "zh").text

    @pytest.mark.parametrize("state", ["preparing", "sent", "closed", "aborted", "failed"])
    def test_every_state_has_a_page(self, house: Runtime, site: httpx2.Client, campaign: int, state: str) -> None:
        with house.begin() as tx:
            tx.session.get_one(Campaign, campaign).state = state
        for language in ("en", "zh"):
            assert "128" in look(site, language).text


class TestUsers:
    def test_from_the_first_administrator_on_it_is_shown_to_who_signs_in(
        self, house: Runtime, site: httpx2.Client, campaign: int
    ) -> None:
        with house.begin() as tx:
            password = "correct horse battery staple"
            users.add(tx.session, OPERATOR, "chief", "admin", password=password, now=tx.now)
        answer = site.get("/")
        assert (answer.status_code, answer.headers["location"]) == (303, "/login")
        for secret in ("初雪", "128", "讲座", "水管", "5678", "simulator"):
            assert secret not in answer.text, secret

    def test_whoever_has_only_a_part_of_the_tree_closes_nothing(
        self, house: Runtime, site: httpx2.Client, campaign: int
    ) -> None:
        with house.begin() as tx:
            place = make_organisation(tx.session, "East")
            tx.session.add(
                User(
                    name="li",
                    role="admin",
                    organisation_id=place.id,
                    password_hash="-",
                    created_by="x",
                    created_at=tx.now,
                )
            )
        # the command line asks nobody to sign in, either
        assert "初雪" in look(site).text


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
class TestManners:
    def test_no_number_is_shown_in_full(self, site: httpx2.Client, campaign: int) -> None:
        text = site.get("/").text
        assert "199****5678" in text
        assert "138****" in text
        assert not re.search(r"\d([ -]?\d){8}", Page(text).text)

    def test_what_others_wrote_is_text(self, site: httpx2.Client, campaign: int) -> None:
        text = site.get("/").text
        assert "&lt;初雪&gt;" in text
        assert "<b>" not in text

    def test_it_asks_nobody_else(self, site: httpx2.Client, campaign: int) -> None:
        text = site.get("/").text
        page = Page(text)
        assert all(str(script["src"]).startswith("/static/vendored/") for script in page.all("script"))
        assert not {"style", "iframe", "form", "img", "i", "em"} & {tag for tag, _ in page.tags}
        assert not any("style" in attributes or "onclick" in attributes for _, attributes in page.tags)
        assert "//" not in text.replace("<!doctype html>", "")
        style = site.get(str(page.all("link")[1]["href"]))
        assert style.headers["content-type"].startswith("text/css")
        assert len(style.content) < 12_000
        assert "url(" not in style.text
        assert "italic" not in style.text

    def test_every_piece_of_the_bar_has_its_colour(self, site: httpx2.Client) -> None:
        style = site.get("/static/house.css").text
        for name in ("delivered", "submitted", "queued", "failed", "unknown", "no_receipt", "cancelled"):
            assert re.search(rf"\.{name}\b[^{{}}]*{{ color: ", style), name

    @pytest.mark.parametrize(("state", "seconds"), [("sending", "3"), ("sent", "10"), ("closed", "30")])
    def test_it_loads_itself_anew(
        self, house: Runtime, site: httpx2.Client, campaign: int, state: str, seconds: str
    ) -> None:
        with house.begin() as tx:
            tx.session.get_one(Campaign, campaign).state = state
        assert [meta["content"] for meta in look(site).all("meta") if meta.get("http-equiv") == "refresh"] == [seconds]

    def test_it_can_be_kept_still(self, site: httpx2.Client, campaign: int) -> None:
        page = look(site, hold="1")
        assert not [meta for meta in page.all("meta") if meta.get("http-equiv")]
        assert "Let this page follow again" in page.text

    def test_one_heading_of_the_first_rank_and_a_name_for_every_section(
        self, site: httpx2.Client, campaign: int
    ) -> None:
        page = look(site)
        assert len(page.all("h1")) == 1
        names = {attributes["id"] for tag, attributes in page.tags if tag in ("h1", "h2")}
        assert {section["aria-labelledby"] for section in page.all("section")} == names

    @pytest.mark.parametrize(
        ("host", "status"),
        [
            ("127.0.0.1", 200),
            ("localhost:8000", 200),
            ("[::1]:8000", 200),
            ("evil.example", 403),
            ("127.0.0.1.nip", 403),
        ],
    )
    def test_a_name_of_somebody_else_is_not_answered(self, site: httpx2.Client, host: str, status: int) -> None:
        answer = site.get("/", headers={"host": host, "accept-language": "en"})
        assert answer.status_code == status
        assert ("晨晖手机报" in answer.text) == (status == 200)

    def test_it_changes_nothing(self, house: Runtime, site: httpx2.Client, campaign: int) -> None:
        house.publish = lambda wakes: pytest.fail(f"{wakes}")
        look(site)
        assert site.post("/").status_code == 405
