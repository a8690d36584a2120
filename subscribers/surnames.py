"""Readings that a table of single characters gets wrong in names: Chinese surnames, and some given-name characters.

After the dictionaries' "used as a surname" entries; without tones, ü as v. Where a surname has two readings, the one
that more people bear. Simplified and traditional forms both.
"""

from __future__ import annotations

#: surname of one character -> its reading, where the character alone is usually read otherwise
SINGLE = {
    **dict.fromkeys("单單", "shan"),
    **dict.fromkeys("盖蓋", "ge"),
    **dict.fromkeys("缪繆", "miao"),
    **dict.fromkeys("区區", "ou"),
    **dict.fromkeys("乐樂", "yue"),
    **dict.fromkeys("员員贠", "yun"),
    **dict.fromkeys("种重", "chong"),
    "秘": "bi",
    "薄": "bo",
    "晟": "cheng",
    "句": "gou",
    "隽": "juan",
    "佴": "nai",
    "能": "nai",
    "阚": "kan",
    "粘": "nian",
    "乜": "nie",
    "朴": "piao",
    "繁": "po",
    "覃": "qin",
    "仇": "qiu",
    "召": "shao",
    "折": "she",
    "洗": "xian",
    "解": "xie",
    "郇": "xun",
    "蔚": "yu",
    "曾": "zeng",
    "查": "zha",
    "祭": "zhai",
    "翟": "zhai",
}

#: surname of two characters -> the two syllables, where the characters alone or `SINGLE` would mislead
COMPOUND = {
    "单于": ("chan", "yu"),
    "單于": ("chan", "yu"),
    "澹台": ("tan", "tai"),
    "澹臺": ("tan", "tai"),
    "令狐": ("ling", "hu"),
    "闾丘": ("lv", "qiu"),
    "万俟": ("mo", "qi"),
    "萬俟": ("mo", "qi"),
    "欧阳": ("ou", "yang"),
    "歐陽": ("ou", "yang"),
    "亓官": ("qi", "guan"),
    "拓跋": ("tuo", "ba"),
    "鲜于": ("xian", "yu"),
    "尉迟": ("yu", "chi"),
    "尉遲": ("yu", "chi"),
    "乐正": ("yue", "zheng"),
    "樂正": ("yue", "zheng"),
    "长孙": ("zhang", "sun"),
    "長孫": ("zhang", "sun"),
    "仉督": ("zhang", "du"),
}

#: character -> how it is read in given names, where the table of characters puts another reading first
GIVEN = {
    **dict.fromkeys("长長", "chang"),
    **dict.fromkeys("厦廈", "xia"),
    **dict.fromkeys("焘燾", "tao"),
    **dict.fromkeys("调調", "tiao"),
    "泊": "bo",
    "卜": "bu",
    "都": "du",
    "镐": "hao",
    "隽": "jun",
    "靓": "liang",
    "晟": "sheng",
    "什": "shi",
    "率": "shuai",
    "琢": "zhuo",
}
