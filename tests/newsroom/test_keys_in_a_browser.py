"""From the sign-in to an edition's variants with nothing but keys; where one is can be seen at every step."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from broadcaster.newspaper import making
from broadcaster.runtime import Runtime
from subscribers.actor import OPERATOR
from tests.browsers import DESKTOP, PHONE, looking
from tests.newsrooms import PASSWORD, add_user, furnish

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

#: more stops than any page on the way has
STOPS = 150
#: what is wrong with the place where the keys are: nobody sees it, or something lies over it
HIDDEN = """() => {
    const here = document.activeElement;
    if (!here || here === document.body) return "the keys are nowhere";
    const style = getComputedStyle(here);
    const is_framed = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
    if (!is_framed && style.boxShadow === "none") return "nothing shows where the keys are";
    const seen = [...here.getClientRects()].some(box => {
        const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
        const top = document.elementFromPoint(x, y);
        return top && (here.contains(top) || [...(here.labels || [])].some(label => label.contains(top)));
    });
    return seen ? "" : "it is covered, or not in the window";
}"""


class Keys:
    """A keyboard, and no mouse."""

    def __init__(self, page: Page) -> None:
        self._page = page

    def to(self, wanted: Locator) -> None:
        """Tab as far as this."""
        expect(wanted).to_be_visible()
        for _ in range(STOPS):
            if wanted.evaluate("wanted => wanted === document.activeElement"):
                return
            self._page.keyboard.press("Tab")
            self.are_seen()
        raise AssertionError(f"{wanted} is not come to by Tab")

    def are_seen(self) -> None:
        """Whoever looks at the page sees what a key would be for."""
        wrong = self._page.evaluate(HIDDEN)
        assert not wrong, f"{self._page.url}: {wrong}: " + self._page.evaluate("document.activeElement.outerHTML")[:300]

    def press(self, wanted: Locator, key: str = "Enter") -> None:
        """Tab as far as this, and press a key there."""
        self.to(wanted)
        self._page.keyboard.press(key)


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desk", "phone"])
def test_from_the_sign_in_to_saved_variants(
    house: Runtime, chrome: Browser, address: str, size: tuple[int, int]
) -> None:
    add_user(house, "li", "editor")
    furnish(house)
    with looking(chrome, address, "zh-CN", size) as look:
        page, keys = look.page, Keys(look.page)
        page.goto("/login")
        keys.to(page.get_by_label("用户名"))
        page.keyboard.type("li")
        keys.to(page.get_by_label("密码"))
        page.keyboard.type(PASSWORD)
        page.keyboard.press("Enter")
        keys.press(page.get_by_role("link", name="手机报", exact=True))
        keys.press(page.get_by_role("link", name="第 1 期 入冬第一周"))
        keys.press(page.get_by_role("link", name="改版本"))
        box = page.get_by_role("checkbox", name="在职")
        keys.press(box, "Space")
        expect(page.locator(".phone")).to_have_count(4)
        # the page was drawn anew around it
        expect(box).to_be_focused()
        keys.are_seen()
        up = page.get_by_role("button", name="在职：上移")
        for place in (2, 1):
            keys.press(up)
            page.get_by_text(f"{place}. 在职").wait_for()
            expect(up).to_be_focused()
            keys.are_seen()
        keys.press(page.get_by_role("button", name="保存版本"))
        page.get_by_role("status").get_by_text("已保存").wait_for()
    with house.reading() as tx:
        variants = list(making.layout(tx.session, OPERATOR, 1).variants)
    assert variants == ["in_service", "retired", "mobile", "everyone"]
