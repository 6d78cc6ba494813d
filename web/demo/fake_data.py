"""Fake data: names, firms and addresses that could be real and are nobody's, drawn from a seed."""

import random
from dataclasses import dataclass
from itertools import count

from dispatch.core.credit_code import ALPHABET, check_character, organisation_check

SURNAMES = "王李张刘陈杨黄赵周吴徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾萧田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢"
GIVEN = (
    "建国", "志强", "文军", "海燕", "丽娟", "晓东", "国平", "秀英", "春华", "永明",
    "亚军", "卫东", "敏", "静", "磊", "涛", "勇", "艳", "芳", "洁",
    "伟", "俊杰", "雪梅", "红霞", "立新", "学文", "宏伟", "佳怡", "子涵", "浩然",
    "思远", "雨欣", "嘉豪", "梦琪", "晨曦", "明轩", "婷婷", "玉兰", "金凤", "爱民",
    "振华", "启航", "凯", "鹏", "斌", "倩", "蕾", "岩", "峰", "颖",
)  # fmt: skip
TRADES = (
    ("精密机械", "年产2万台套精密减速机项目"),
    ("智能装备", "工业机器人关节生产线项目"),
    ("新材料", "年产5000吨碳纤维复合材料项目"),
    ("新能源", "储能电池模组扩产项目"),
    ("电子科技", "车规级功率模块封装项目"),
    ("轨道交通", "轨道车辆制动系统研发制造项目"),
    ("医疗器械", "介入类医疗器械产业化项目"),
    ("汽车零部件", "轻量化底盘部件技改项目"),
    ("纺织科技", "功能性面料智能工厂项目"),
    ("光电", "Mini LED 背光模组项目"),
    ("食品", "冷链预制食品中央工厂项目"),
    ("环保科技", "工业废水膜处理设备项目"),
    ("半导体", "半导体石英部件生产项目"),
    ("家居", "绿色家居定制生产线项目"),
    ("物流", "智慧仓储配送中心项目"),
)
BRANDS = (
    "恒远", "华晟", "瑞丰", "天宁", "龙诚", "中吴", "延陵", "毗陵", "兰陵", "金坤",
    "博瑞", "德坤", "宏图", "鼎盛", "正和", "立信", "嘉泽", "凯盛", "顺泰", "新科",
    "睿创", "捷成", "泰禾", "永创", "明达", "同方", "万昌", "苏科", "锐捷", "常兴",
)  # fmt: skip
ROADS = (
    "人民路", "常武路", "延政路", "武宜路", "龙江路", "广电路", "花园街", "夏城路", "淹城路", "凤林路",
    "长虹路", "滆湖路", "虹西路", "科教路", "定安路", "果香路",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Firm:
    """An invented enterprise with an invented project."""

    name: str
    project: str
    contact: str
    legal: str
    phone: str
    credit_code: str


MOST_USED_NAMES = 1200  # of about 2,700 that there are
MIDDLES = 9000  # middle fours of a phone number, 1000 to 9999


class FakeData:
    """Draws people and places in a fixed order: the same seed gives the same ones."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.numbers = count()
        self.ends: list[int] = []
        self.brands = [f"{brand}{trade}" for brand in BRANDS for trade, _ in TRADES]
        self.random.shuffle(self.brands)
        self.used: set[str] = set()

    def person(self) -> str:
        """A name that was not drawn before."""
        while True:
            name = self.random.choice(SURNAMES) + self.random.choice(GIVEN)
            if name not in self.used:
                self.used.add(name)
                return name

    def recurring_person(self) -> str:
        """A name that others may have too: among twenty thousand people names recur."""
        if len(self.used) > MOST_USED_NAMES:
            self.used.clear()
        return self.person()

    def phone(self) -> str:
        """A number of a range that no operator gives out to people: 1000 in its middle."""
        n = next(self.numbers)
        # The province has more people than there are middles: from the second round on, an end is the next one free.
        if n < MIDDLES:
            self.ends.append(self.random.randrange(10_000))
        end = (self.ends[n % MIDDLES] + n // MIDDLES) % 10_000
        return f"+86138{1000 + n % MIDDLES:04d}{end:04d}"

    def firm(self) -> Firm:
        """The next enterprise, in 武进."""
        brand = self.brands.pop()
        trade = next(t for t in TRADES if brand.endswith(t[0]))
        return Firm(
            name=f"常州{brand}有限公司",
            project=trade[1],
            contact=self.person(),
            legal=self.person(),
            phone=self.phone(),
            credit_code=credit_code(self.random),
        )

    def address(self, town: str) -> str:
        """A road and a number in a town."""
        return f"常州市武进区{town}{self.random.choice(ROADS)}{self.random.randrange(1, 400)}号"

    def near(self, lon: float, lat: float, metres: float = 1800) -> tuple[float, float]:
        """A point around another, denser towards it."""
        return (
            round(lon + self.random.gauss(0, metres / 2) / 94_700, 6),
            round(lat + self.random.gauss(0, metres / 2) / 111_200, 6),
        )


def credit_code(draw: random.Random) -> str:
    """A credit code with right check characters, of 武进区 and an invented organisation."""
    organisation = "".join(draw.choice(ALPHABET) for _ in range(9))[:8]  # nine draws: the county stays as it was
    code = f"91320412{organisation}{organisation_check(organisation)}"
    return code + check_character(code)
