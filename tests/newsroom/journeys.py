"""From nothing to a proof of an edition with three variants, by clicks alone, in either language."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyotp
from playwright.sync_api import expect

from broadcaster.language import CATALOGUE, read_catalogue
from tests.browsers import Look
from tests.newsrooms import PASSWORD


@dataclass(frozen=True)
class Told:
    """What somebody types, and what their members are called."""

    user: str
    list_name: str
    people: str
    agreed: str
    #: an item for everyone, and one for those of a segment: headline and sentence
    news: tuple[str, str]
    meeting: tuple[str, str]
    title: str
    #: those of whom a variant is for, and the rest; beside each what its phone shows
    variants: tuple[tuple[str, str], ...]


CHINESE = Told(
    "主编",
    "名册.csv",
    "姓名,手机号,村,人员类别\n李敏,19900000011,东河村,在职\n欧阳子涵,19900000012,东河村,离退休\n"
    "赵平,19900000013,北沟村,流动\n",
    "大会上签字",
    ("供暖", "今天起供暖。"),
    ("座谈会", "周五下午三点座谈。"),
    "入冬",
    (("离退休", "周五下午三点座谈。"), ("流动", "赵平您好"), ("其余的人", "李敏您好")),
)
ENGLISH = Told(
    "editor",
    "members.csv",
    "name,phone,branch,status\nAnn Lee,19900000011,East,in service\nBob Wu,19900000012,East,retired\n"
    "Cy Zhao,19900000013,West,mobile\n",
    "signed at the meeting",
    ("Heating", "The heating is on from today."),
    ("Talk", "Talk on Friday at three."),
    "Winter begins",
    (("retired", "Talk on Friday at three."), ("mobile", "Cy Zhao"), ("all others", "Ann Lee")),
)
_WORDS = read_catalogue(CATALOGUE)


@dataclass(frozen=True)
class Way:
    """Somebody at a newsroom, from their first page on."""

    look: Look
    told: Told

    def say(self, english: str, /, *, one: str = "", **fields: object) -> str:
        """What stands on a page, in the language of this window; `one`: of a sentence that counts, for one."""
        return (english if self.told is ENGLISH else _WORDS[one or english]).format(**fields)

    def press(self, english: str, **fields: object) -> None:
        """The first button that is called so and nothing else."""
        self.look.page.get_by_role("button", name=self.say(english, **fields), exact=True).first.click()

    def follow(self, english: str, **fields: object) -> None:
        """The first link that is called so and nothing else."""
        self.look.page.get_by_role("link", name=self.say(english, **fields), exact=True).first.click()

    def type(self, english: str, text: str, *, exact: bool = False) -> None:
        """Into the field that is called so."""
        self.look.page.get_by_label(self.say(english), exact=exact).fill(text)

    def is_told(self, english: str, **fields: object) -> None:
        """What was done stands in the first line."""
        self.look.page.get_by_role("status").get_by_text(self.say(english, **fields)).wait_for()

    def begin(self, link: str, code: Callable[[pyotp.TOTP], str]) -> None:
        """The only address that anybody types: the one that was printed."""
        page = self.look.page
        page.goto(link)
        self.type("User name", self.told.user)
        self.type("New password", PASSWORD)
        self.type("The same again", PASSWORD)
        self.press("Go on")
        page.locator(".secret").wait_for()
        phone = pyotp.TOTP(page.locator(".secret").inner_text().replace(" ", ""))
        self.type("Six digits", code(phone))
        self.press("Set it up")
        self.follow("I have them, go on")
        self.look.fits()

    def take_in(self, folder: Path) -> None:
        """The list of members."""
        file = folder / self.told.list_name
        file.write_text(self.told.people, encoding="utf-8")
        self.follow("Take in your members")
        self.look.page.get_by_label(self.say("A CSV or XLSX file")).set_input_files(file)
        self.type("How do you know that they agreed to receive the paper?", self.told.agreed)
        self.press("Look at it")
        self.look.page.get_by_role(
            "button", name=self.say("Take {n} people in", one="Take {n} person in", n=3)
        ).wait_for()
        self.look.fits()
        self.press("Take {n} people in", one="Take {n} person in", n=3)
        told = "Taken in: {created} new, {updated} changed, {unchanged} as they were, {refused} refused."
        self.is_told(told, created=3, updated=0, unchanged=0, refused=0)

    def write(self, headline: str, sentence: str, whom: str = "") -> None:
        """An item."""
        page = self.look.page
        self.follow("Items")
        self.follow("Write an item")
        self.type("Headline", headline, exact=True)
        self.type("The sentence in the SMS", sentence)
        if whom:
            page.get_by_role("checkbox", name=whom).check()
        self.press("Save")
        self.is_told("Saved: {headline}.", headline=headline)

    def write_all(self) -> None:
        """One for everyone, one for the first segment."""
        self.write(*self.told.news)
        self.write(*self.told.meeting, self.told.variants[0][0])

    def begin_edition(self) -> None:
        """The first one."""
        self.follow("Editions")
        self.follow("New edition")
        self.type("Title", self.told.title)
        self.press("Begin it")

    def put_in(self) -> None:
        """Both items, accepted on the way."""
        page = self.look.page
        page.get_by_role("link", name=self.say("Add items")).first.click()
        for headline, _ in (self.told.news, self.told.meeting):
            page.get_by_label(headline).check()
        self.press("Accept and put in")
        page.locator(".words > a", has_text=self.told.meeting[0]).wait_for()

    def choose_variants(self) -> None:
        """Three: for two segments, and for the rest."""
        page = self.look.page
        self.follow("Change the variants")
        for name, _ in self.told.variants[:2]:
            page.get_by_role("checkbox", name=name).check()
        expect(page.locator(".phone")).to_have_count(3, timeout=30_000)
        self.look.fits()
        self.press("Save the variants")
        between = ", " if self.told is ENGLISH else "、"
        names = between.join(name for name, _ in self.told.variants)
        page.get_by_text(self.say("Variants: {names}", names=names)).wait_for()
        for name, words in self.told.variants:
            page.get_by_role("radio", name=name, exact=True).check()
            expect(page.locator(".bubble:visible")).to_contain_text(words, timeout=30_000)

    def check(self) -> None:
        """The check, and a proof to one's own number."""
        self.follow("Next: check")
        self.look.fits()
        self.press("Send to my phone")
        self.type("Your phone number", "199 0999 0077")
        self.press("Note it")
        self.press("Send to my phone")
        self.look.page.get_by_role("status").get_by_text("199****0077").wait_for()
