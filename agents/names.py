"""Names: how a Chinese name sorts and how it is typed on a keyboard without Chinese."""

from functools import lru_cache

from pypinyin import lazy_pinyin

# Family names that are read otherwise than the same character elsewhere, and Jiangsu's places that dictionaries miss.
FAMILY_READINGS = {
    "单": "shan",
    "仇": "qiu",
    "解": "xie",
    "曾": "zeng",
    "查": "zha",
    "区": "ou",
    "朴": "piao",
    "盖": "ge",
    "尉迟": "yu chi",
    "万俟": "mo qi",
    "华": "hua",
    "任": "ren",
    "缪": "miao",
    "翟": "zhai",
    "乐": "yue",
    "冼": "xian",
    "员": "yun",
    "秘": "bi",
    "幺": "yao",
    "种": "chong",
}
PLACE_READINGS = {
    "六合": "lu he",
    "甪直": "lu zhi",
    "大厂街道": "da chang jie dao",
    "仇湖": "qiu hu",
    "仇桥": "qiu qiao",
}


@lru_cache(maxsize=65536)
def sort_key(name: str) -> str:
    """The syllables of a place's, an institution's or a matter's name: 武进区 → ``wu jin qu``."""
    for place, reading in PLACE_READINGS.items():
        before, found, after = name.partition(place)
        if found:
            return " ".join(filter(None, (sort_key(before), reading, sort_key(after))))
    return " ".join(syllable.strip().lower() for syllable in lazy_pinyin(name) if syllable.strip())


@lru_cache(maxsize=65536)
def person_key(name: str) -> str:
    """The syllables of a person's name, family name first: 单军 → ``shan jun``."""
    for length in (2, 1):
        if reading := FAMILY_READINGS.get(name[:length]):
            return f"{reading} {sort_key(name[length:])}".strip()
    return sort_key(name)
