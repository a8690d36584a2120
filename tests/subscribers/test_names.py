"""How names are looked for: readings, scripts, and that every name has a key that the column takes."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from subscribers.models import Member
from subscribers.names import LONGEST, search_key
from subscribers.surnames import COMPOUND, SINGLE

#: as dictionaries give them for "used as a surname", beside how the character is usually read
SURNAMES = """
单 shan  曾 zeng  仇 qiu   解 xie   区 ou    查 zha   任 ren   华 hua   盖 ge    朴 piao  翟 zhai  缪 miao
员 yun   秘 bi    折 she   召 shao  洗 xian  冼 xian  繁 po    覃 qin   句 gou   祭 zhai  粘 nian  郇 xun
种 chong 都 du    佴 nai   能 nai   乜 nie   阚 kan   蔚 yu    莘 shen  牟 mou   薄 bo    卜 bu    乐 yue
晟 cheng 隽 juan  逄 pang  郗 xi    宓 mi    石 shi   葛 ge    万 wan   应 ying  宁 ning  沈 shen  贾 jia
吕 lv    陆 lu    尹 yin   车 che   叶 ye    柏 bai   俞 yu    褚 chu   於 yu    瞿 qu    臧 zang  占 zhan
单 shan  單 shan  蓋 ge    闞 kan   區 ou    員 yun   樂 yue   呂 lv    陸 lu    曹 cao   重 chong 谌 chen
贠 yun   钭 tou   眭 sui   昝 zan   厍 she   仝 tong  璩 qu    禤 xuan  佘 she   麴 qu    那 na    哈 ha
"""
COMPOUNDS = """
尉迟 yc yuchi      万俟 mq moqi      长孙 zs zhangsun   令狐 lh linghu   欧阳 oy ouyang     单于 cy chanyu
澹台 tt tantai     鲜于 xy xianyu    乐正 yz yuezheng   亓官 qg qiguan   闾丘 lq lvqiu      宇文 yw yuwen
司马 sm sima       上官 sg shangguan 诸葛 zg zhuge      夏侯 xh xiahou   皇甫 hf huangfu    公孙 gs gongsun
慕容 mr murong     淳于 cy chunyu    呼延 hy huyan      东方 df dongfang 南宫 ng nangong    端木 dm duanmu
赫连 hl helian     拓跋 tb tuoba     歐陽 oy ouyang     長孫 zs zhangsun 申屠 st shentu     轩辕 xy xuanyuan
"""


def rows(table: str, width: int) -> list[list[str]]:
    cells = table.split()
    return [cells[start : start + width] for start in range(0, len(cells), width)]


@pytest.mark.parametrize(("surname", "reading"), rows(SURNAMES, 2))
def test_a_surname_is_read_as_a_surname(surname: str, reading: str) -> None:
    assert search_key(f"{surname}伟") == f"{reading[0]}w {reading}wei"


@pytest.mark.parametrize(("surname", "initials", "reading"), rows(COMPOUNDS, 3))
def test_a_compound_surname_goes_before_a_single_one(surname: str, initials: str, reading: str) -> None:
    assert search_key(f"{surname}明") == f"{initials}m {reading}ming"


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("张伟", "zw zhangwei"),
        ("诸葛绿", "zgl zhugelv"),
        # as a given name each is read otherwise than as a surname
        ("王单", "wd wangdan"),
        ("李长江", "lcj lichangjiang"),
        ("张晟", "zs zhangsheng"),
        ("王隽", "wj wangjun"),
        ("Zhou Lan", "zl zhoulan"),
        ("ZHOU  lan", "zl zhoulan"),
        ("José O’Brien-Smith", "jos joseobriensmith"),
        ("Müller", "m muller"),
        ("ＺＨＡＮＧ　Ｗｅｉ", "zw zhangwei"),
        ("张伟 David", "zwd zhangweidavid"),
        ("张伟2", "zw2 zhangwei2"),
        (" 单 伟", "sw shanwei"),
        ("阿卜杜拉·买买提", "abdlmmt abudulamaimaiti"),
        # the first syllable of a name with a dot is no surname
        ("查希尔·曾", "cxec chaxierceng"),
        ("Айгүл Ахметова", "аа аигүлахметова"),
        ("ئايگۈل", "ئ ئايگۈل"),
        ("བཀྲ་ཤིས", "བཤ བཀྲཤིས"),
        ("김철수", "김철수 김철수"),
        ("𠮷野", "𠮷y 𠮷ye"),
        ("王㐂", "w㐂 wang㐂"),
        ("·", "· ·"),
        ("😀", "😀 😀"),
        (" ", "? ?"),
        ("", ""),
    ],
)
def test_the_key_of_a_name(name: str, key: str) -> None:
    assert search_key(name) == key


@given(st.text() | st.text("张单曾尉迟长孙𠮷㐂庄·aÉ '", max_size=200))
@example("庄" * 51)
@example("𠮷" * 100)
@example("\0")
@example("\ud800")
@example("İ")
def test_every_name_has_a_key_that_the_column_takes(name: str) -> None:
    key = search_key(name)
    assert key == search_key(name)
    assert bool(key) == bool(name)
    if key:
        initials, whole = key.split(" ")
        assert initials and whole and initials[0] == whole[0]
        assert not any(character.isspace() for character in initials + whole)
        assert "\0" not in key
        assert len(key.encode()) <= LONGEST == Member.__table__.c.search_key.type.length


@given(st.text("张伟单曾解放建国庄𠮷㐂", min_size=1, max_size=40))
def test_every_character_counts(name: str) -> None:
    assert len(search_key(name).split(" ")[0]) == len(name)


def test_both_ways_agree() -> None:
    """A name of Chinese characters alone takes the short way; a mark in it, the long one; the key is the same."""
    for surname in [*SINGLE, *COMPOUND]:
        assert search_key(f"{surname}建国") == search_key(f"{surname}建国 ")


def test_the_tables_hold_only_what_the_characters_do_not_tell() -> None:
    """A line that changes nothing would only hide that it is not needed."""
    assert [c for c, reading in SINGLE.items() if search_key(f"王{c}") == f"w{reading[0]} wang{reading}"] == []
    assert [c for c, reading in SINGLE.items() if search_key(f"{c}伟") != f"{reading[0]}w {reading}wei"] == []


def test_the_phrases_of_pypinyin_are_not_read() -> None:
    told = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, subscribers.names as n; print(n.search_key('曾伟'), 'pypinyin' in sys.modules)",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.strip() == "zw zengwei False"
