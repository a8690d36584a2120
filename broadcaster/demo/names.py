"""Chinese names, drawn from tables of common surnames and given-name characters. Nobody in particular is meant."""

from __future__ import annotations

import random

#: the commoner, the earlier
_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈"
    "姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
)
_COMPOUND = ("欧阳", "上官", "司徒", "诸葛", "皇甫", "尉迟", "令狐", "慕容")
#: one in so many has a compound surname
_ONE_IN_COMPOUND = 60

_OLDER = (
    *("秀英", "桂兰", "玉兰", "淑珍", "凤英", "玉珍", "秀珍", "桂芝", "素芬", "惠芳", "月娥", "春梅", "爱华", "美玲"),
    *("佩芬", "金凤", "彩霞", "雪琴", "文秀", "兰芝", "建华", "国栋", "志明", "德福", "永昌", "长林", "树森", "宝山"),
    *("福根", "金山", "玉田", "文彬", "守义", "庆祥", "兴旺", "洪生", "学文", "耀宗"),
)
_YOUNGER_FIRST = "思雨佳欣梓浩宇嘉雅诗雪静文博一海天慧明志立云书景清远承安启舒可知"
_YOUNGER_SECOND = "琪涵轩怡彤然杰航晨阳萱媛婷琳洁凡源凯峰悦妍帆驰舟楠桐筠岚霖禾言朗"
_SINGLE = "敏芳丽娟霞燕玲琴梅斌辉宏波平倩蕾晶莹"

#: beyond what old phones and gateways know: a surrogate pair in UCS-2, one of extension A, one outside GB 2312
RARE = ("𠮷", "㛃", "喆")


def full_name(rng: random.Random, age: int) -> str:
    """A name of two to four characters, of a kind that was given when somebody of this age was born."""
    if rng.randrange(_ONE_IN_COMPOUND) == 0:
        surname = rng.choice(_COMPOUND)
    else:
        surname = _SURNAMES[int(len(_SURNAMES) * rng.random() ** 2)]
    if rng.random() < 0.18:
        return surname + rng.choice(_SINGLE)
    if age >= 58:
        return surname + rng.choice(_OLDER)
    return surname + rng.choice(_YOUNGER_FIRST) + rng.choice(_YOUNGER_SECOND)
