"""Pictures of the shop's pots, drawn here as SVG: a silhouette of clay, a glaze poured over it, light from the left.

    picture("mug-cobalt") -> the SVG of one pot on a transparent ground, 200 by 200
    shelf() -> the three pots of the home page

A key is words joined by hyphens: one that names a shape, one that names a glaze. Anything else in it is ignored, so a
product's handle ("supper-bowl-celadon") is a key too; what names no shape is a lidded jar in ash.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True, slots=True)
class Glaze:
    """A glaze, its shade where it rolls into the pot, and the clay below it."""

    colour: str
    deep: str
    clay: str


GLAZES = {
    "cobalt": Glaze("#2f4f9e", "#223c7a", "#e9e4da"),
    "celadon": Glaze("#8fb1a2", "#769a8b", "#e4e0d4"),
    "straw": Glaze("#d9ac55", "#bd9140", "#efe6d2"),
    "ink": Glaze("#33383d", "#23272b", "#cbb79b"),
    "ash": Glaze("#d9d8d0", "#bfbeb5", "#b9a68c"),
    "oxide": Glaze("#8a4a33", "#6d3826", "#d8c6ae"),
    "moss": Glaze("#6f7d55", "#586443", "#e2dac6"),
    "shell": Glaze("#d9a893", "#bd8b76", "#efe4d8"),
    "sand": Glaze("#c9ab84", "#ab8d67", "#eee6d8"),
    "rust": Glaze("#a85b36", "#874627", "#e6d6c1"),
}


@dataclass(frozen=True, slots=True)
class Shape:
    """A pot: its outline, where the glaze ends (y), its rim as an ellipse (cx, cy, rx, ry), and what hangs on it."""

    outline: str
    glazed_to: int
    rim: tuple[float, float, float, float]
    foot: tuple[int, int]  # the shadow's centre and half width
    handle: tuple[str, int] | None = None  # a stroke behind the pot, and its width
    behind: str = ""
    before: str = ""


_SPRIG = (
    '<path d="M100 50c-3-13 3-24 11-33" fill="none" stroke="#7d8a62" stroke-width="2.4" stroke-linecap="round"/>'
    '<path d="M111 17c6-6 13-4 16 1-6 5-12 4-16-1zM102 31c-6-6-12-3-15 2 6 4 12 3 15-2z" fill="#93a074"/>'
)
_LEAVES = (
    '<g fill="#7f9167"><path d="M100 82C76 70 66 46 72 22c20 10 32 34 28 60z"/>'
    '<path d="M100 82c-2-30 12-52 34-60 4 26-8 50-34 60z" fill="#93a57a"/>'
    '<path d="M100 84C84 74 62 72 44 60c16-10 44-4 56 24z" fill="#6b7c55"/>'
    '<path d="M100 84c12-20 36-28 56-20-12 14-34 20-56 20z"/></g>'
)
_CANDLE = (
    '<rect x="90" y="46" width="20" height="62" rx="3" fill="#f3ead8"/>'
    '<rect x="103" y="46" width="7" height="62" rx="3" fill="#000" opacity=".06"/>'
    '<path d="M100 46v-8" stroke="#4a4038" stroke-width="1.8" stroke-linecap="round"/>'
    '<path d="M100 12c8 10 9 16 7 21-2 4-5 6-7 6s-5-2-7-6c-2-5-1-11 7-21z" fill="#e8b23a"/>'
    '<path d="M100 24c4 6 4 9 3 11s-2 3-3 3-2-1-3-3-1-5 3-11z" fill="#fbe6a8"/>'
)

SHAPES: dict[str, Shape] = {
    "mug": Shape(
        "M53 63h82v70c0 16-10 25-25 25H78c-15 0-25-9-25-25z",
        117,
        (94, 63, 41, 7),
        (98, 52),
        ("M134 82c25-7 36 7 34 23s-18 26-35 22", 11),
    ),
    "espresso": Shape(
        "M64 92h66v42c0 15-9 24-22 24H86c-13 0-22-9-22-24z",
        128,
        (97, 92, 33, 6),
        (98, 62),
        ("M129 106c19-6 27 5 25 16s-14 18-27 15", 8),
        '<ellipse cx="98" cy="158" rx="58" ry="9" fill="{clay}"/>'
        '<ellipse cx="98" cy="156" rx="58" ry="8" fill="{deep}"/>',
    ),
    "tumbler": Shape(
        "M62 58h76l-6 92c0 6-5 10-11 10H79c-6 0-11-4-11-10z",
        118,
        (100, 58, 38, 6.5),
        (100, 46),
    ),
    "bowl": Shape(
        "M32 86h136c0 38-24 65-53 68l3 7H82l3-7c-29-3-53-30-53-68z",
        119,
        (100, 86, 68, 11),
        (100, 56),
    ),
    "vase": Shape(
        "M82 38h36c0 24 6 33 19 49 14 18 15 38 6 56-4 8-9 14-14 18H71c-5-4-10-10-14-18-9-18-8-38 6-56 13-16"
        " 19-25 19-49z",
        113,
        (100, 38, 18, 4.4),
        (100, 52),
    ),
    "bud": Shape(
        "M91 46h18c0 25 3 32 15 45 13 15 15 34 5 51-4 8-9 15-13 19H84c-4-4-9-11-13-19-10-17-8-36 5-51 12-13"
        " 15-20 15-45z",
        110,
        (100, 46, 9, 2.6),
        (100, 48),
        behind=_SPRIG,
    ),
    "jug": Shape(
        "M66 48c18 2 40 2 59 0-1 17 1 27 6 41 9 25 11 44 3 63-3 6-6 9-12 9H77c-6 0-9-3-12-9-8-19-7-38 2-63"
        " 5-14 5-27-1-41z",
        116,
        (95.5, 48, 29.5, 5),
        (98, 52),
        ("M126 60c29-7 39 18 29 42-5 12-12 19-20 21", 9),
    ),
    "carafe": Shape(
        "M80 34h40c-2 20-1 32 6 44 12 20 18 46 10 70-2 8-7 13-15 13H79c-8 0-13-5-15-13-8-24-2-50 10-70 7-12 8-24 6-44z",
        104,
        (100, 34, 20, 4.6),
        (100, 52),
    ),
    "teapot": Shape(
        "M60 84c12-5 24-8 38-8s26 3 38 8c14 18 16 50-4 74H64c-20-24-18-56-4-74z",
        124,
        (98, 82, 39, 7),
        (98, 54),
        ("M139 90c26-10 40 8 34 28-5 17-18 26-34 25", 9),
        '<path d="M58 118C42 116 38 96 24 84c6-3 12-3 18 0 10 8 10 18 20 22z" fill="{colour}"/>'
        '<ellipse cx="32" cy="84" rx="8" ry="2.4" fill="{deep}"/>',
        '<path d="M62 81c6-14 22-20 36-20s30 6 36 20c-22 8-50 8-72 0z" fill="{colour}"/>'
        '<path d="M110 62c12 3 20 9 24 19-8 3-16 5-24 5z" fill="#000" opacity=".07"/>'
        '<circle cx="98" cy="56" r="8" fill="{deep}"/>',
    ),
    "planter": Shape(
        "M50 78h100l-9 72c-1 7-6 11-13 11H72c-7 0-12-4-13-11z",
        122,
        (100, 78, 50, 8.5),
        (100, 56),
        before=_LEAVES,
    ),
    "jar": Shape(
        "M56 78h88c6 24 6 52-2 72-2 7-7 10-14 10H72c-7 0-12-3-14-10-8-20-8-48-2-72z",
        122,
        (100, 78, 44, 7),
        (100, 54),
        before='<path d="M54 76c4-13 22-20 46-20s42 7 46 20c-26 9-66 9-92 0z" fill="{deep}"/>'
        '<path d="M86 56c-2-10 4-17 14-17s16 7 14 17c-8 3-20 3-28 0z" fill="{colour}"/>',
    ),
    "candle": Shape(
        "M66 104h68c0 18-8 30-20 34l14 16c5 6 2 8-4 8H76c-6 0-9-2-4-8l14-16c-12-4-20-16-20-34z",
        128,
        (100, 104, 34, 6.5),
        (100, 46),
        before=_CANDLE,
    ),
}


def picture(key: str) -> str:
    """The picture for a key, as a whole SVG document."""
    return _document(pot(key))


@cache
def pot(key: str) -> str:
    """The drawing alone, for a 200 by 200 ground; ids in it are made from the key."""
    words = key.lower().split("-")
    glaze = GLAZES[next((word for word in words if word in GLAZES), "ash")]
    name = next((_SAME.get(word, word) for word in words if _SAME.get(word, word) in _DRAWN), "jar")
    return _DRAWN[name](glaze, f"{name}-{glaze.colour[1:]}")


@cache
def shelf() -> str:
    """The home page's picture: a jug, a big vase and a mug on a shelf."""
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 560 430" preserveAspectRatio="xMidYMid slice">'
        '<rect width="560" height="430" fill="#e9ecec"/><rect y="322" width="560" height="14" fill="#b99a74"/>'
        '<rect y="336" width="560" height="5" fill="#000" opacity=".12"/>'
        f'<g transform="translate(38 141) scale(1.12)">{pot("jug-ash")}</g>'
        f'<g transform="translate(164 60) scale(1.62)">{pot("vase-cobalt")}</g>'
        f'<g transform="translate(342 170) scale(.94)">{pot("mug-oxide")}</g></svg>'
    )


def _turned(shape: Shape, glaze: Glaze, id: str) -> str:
    """A pot thrown on the wheel: shadow, handle, clay, glaze, light, rim."""
    colours = {"colour": glaze.colour, "deep": glaze.deep, "clay": glaze.clay}
    cx, cy, rx, ry = shape.rim
    shadow, width = shape.foot
    handle = ""
    if shape.handle:
        path, stroke = shape.handle
        handle = (
            f'<path d="{path}" fill="none" stroke="{glaze.colour}" stroke-width="{stroke}" stroke-linecap="round"/>'
        )
    return (
        f'<ellipse cx="{shadow}" cy="163" rx="{width}" ry="7" fill="#000" opacity=".09"/>'
        f"{_filled(shape.behind, colours)}{handle}"
        f'<clipPath id="{id}"><path d="{shape.outline}"/></clipPath><g clip-path="url(#{id})">'
        f'<rect width="200" height="200" fill="{glaze.clay}"/>'
        f'<path d="{_pour(shape.glazed_to)}" fill="{glaze.colour}"/>'
        '<path d="M112 0h88v200h-88z" fill="#000" opacity=".07"/>'
        '<path d="M136 0h64v200h-64z" fill="#000" opacity=".06"/>'
        '<path d="M67 0h7v200h-7z" fill="#fff" opacity=".14"/></g>'
        f'<ellipse cx="{cx}" cy="{cy}" rx="{rx}" ry="{ry}" fill="{glaze.deep}"/>'
        f'<ellipse cx="{cx}" cy="{cy + ry * 0.22:.1f}" rx="{rx * 0.9:.1f}" ry="{ry * 0.68:.1f}" fill="#000"'
        ' opacity=".2"/>'
        f"{_filled(shape.before, colours)}"
    )


def _filled(markup: str, colours: dict[str, str]) -> str:
    for name, value in colours.items():
        markup = markup.replace("{" + name + "}", value)
    return markup


def _pour(to: int) -> str:
    """Everything above a wavy line: no two runs of the glaze are alike, but each picture keeps its own."""
    runs = ((24, 12), (18, -10), (26, 13), (18, -8), (22, 10), (26, -12), (22, 9), (18, -8), (26, 10))
    path, x = f"M0 0h200v{to}", 200
    for width, dip in runs:
        width = min(width, x)
        path += f"q{-width / 2:g} {dip} {-width} {dip // 3}"
        x -= width
    return path + "V0z"


def _plate(glaze: Glaze, id: str) -> str:
    return (
        '<ellipse cx="100" cy="143" rx="74" ry="8" fill="#000" opacity=".09"/>'
        f'<path d="M22 116c0 10 32 28 78 28s78-18 78-28z" fill="{glaze.clay}"/>'
        f'<ellipse cx="100" cy="115" rx="78" ry="21" fill="{glaze.colour}"/>'
        f'<clipPath id="{id}"><ellipse cx="100" cy="115" rx="78" ry="21"/></clipPath><g clip-path="url(#{id})">'
        '<path d="M118 80h90v80h-90z" fill="#000" opacity=".06"/>'
        '<path d="M58 80h8v80h-8z" fill="#fff" opacity=".14"/></g>'
        f'<ellipse cx="100" cy="114" rx="53" ry="12.5" fill="{glaze.deep}"/>'
        '<ellipse cx="100" cy="116" rx="49" ry="10" fill="#000" opacity=".1"/>'
    )


def _tray(glaze: Glaze, id: str) -> str:
    return (
        '<ellipse cx="100" cy="150" rx="84" ry="8" fill="#000" opacity=".09"/>'
        f'<path d="M16 112h168l-6 30c-1 5-4 7-9 7H31c-5 0-8-2-9-7z" fill="{glaze.clay}"/>'
        '<path d="M40 78h120c6 0 10 2 13 7l13 24c3 6 0 9-6 9H20c-6 0-9-3-6-9l13-24c3-5 7-7 13-7z"'
        f' fill="{glaze.colour}"/>'
        f'<path d="M48 86h104c4 0 7 1 9 5l8 15c2 4 0 5-4 5H35c-4 0-6-1-4-5l8-15c2-4 5-5 9-5z" fill="{glaze.deep}"/>'
        '<path d="M112 86h40c4 0 7 1 9 5l8 15c2 4 0 5-4 5h-53z" fill="#000" opacity=".08"/>'
        '<path d="M16 122q13 12 28 2q12-8 26 3q14 10 28-2q14-8 26 2q15 11 30-1q12-8 30-3l-1-13H15z"'
        f' fill="{glaze.colour}"/>'
        '<path d="M112 112h72l-6 30c-1 5-4 7-9 7h-57z" fill="#000" opacity=".07"/>'
    )


def _spoon_rest(glaze: Glaze, id: str) -> str:
    return (
        '<ellipse cx="98" cy="144" rx="70" ry="8" fill="#000" opacity=".09"/>'
        f'<path d="M30 116c0 18 28 30 62 30 40 0 66-18 84-34z" fill="{glaze.clay}"/>'
        '<path d="M30 114c0-16 26-26 60-26 30 0 44 10 60 14 12 3 22 3 28 6 4 3 0 7-6 9-24 8-44 22-80 22-34'
        ' 0-62-9-62-25z"'
        f' fill="{glaze.colour}"/>'
        f'<ellipse cx="88" cy="113" rx="43" ry="15" fill="{glaze.deep}"/>'
        '<ellipse cx="88" cy="115" rx="39" ry="12" fill="#000" opacity=".1"/>'
        '<path d="M92 110C120 92 146 66 168 42" stroke="#b98f5e" stroke-width="6" stroke-linecap="round" fill="none"/>'
        '<ellipse cx="82" cy="114" rx="20" ry="8.5" transform="rotate(-26 82 114)" fill="#c69c6b"/>'
        '<ellipse cx="80" cy="113" rx="14" ry="5" transform="rotate(-26 80 113)" fill="#000" opacity=".1"/>'
    )


def _gift_card(glaze: Glaze, id: str) -> str:
    return (
        '<ellipse cx="100" cy="156" rx="78" ry="7" fill="#000" opacity=".09"/>'
        f'<g transform="rotate(-5 100 100)"><rect x="22" y="52" width="156" height="98" rx="8" fill="{glaze.colour}"/>'
        f'<clipPath id="{id}"><rect x="22" y="52" width="156" height="98" rx="8"/></clipPath>'
        f'<g clip-path="url(#{id})"><path d="M22 118q14-9 28-2t30-3 28 3 28-4 24 4 18-2v40H22z" fill="{glaze.clay}"/>'
        '<path d="M134 52h44v98h-44z" fill="#000" opacity=".06"/></g>'
        '<path d="M52 52v98M22 82h156" stroke="#fff" stroke-width="5" opacity=".5"/>'
        '<path d="M52 82c-16-4-22-16-14-22 8-4 13 8 14 22zm0 0c16-4 22-16 14-22-8-4-13 8-14 22z" fill="none"'
        ' stroke="#fff" stroke-width="4.5" opacity=".75"/>'
        '<text x="164" y="140" text-anchor="end" font-family="Georgia, \'Liberation Serif\', serif" font-size="15"'
        ' fill="#1f2022" opacity=".75">Saltmarsh</text></g>'
    )


def _seconds(glaze: Glaze, id: str) -> str:
    """A bowl with a chip out of its rim and a label on a string."""
    chip = f'<path d="M116 95c2 6 5 9 8 13 4-4 7-3 11-2 0-5 4-8 6-14-8 2-17 3-25 3z" fill="{glaze.clay}"/>'
    label = (
        '<path d="M52 92c-6 12-8 22-6 30" fill="none" stroke="#7a6a58" stroke-width="1.6"/>'
        '<path d="M33 120l13-5 13 5v32H33z" fill="#fbf7ee" stroke="#d8cdb8" stroke-width="1.2"/>'
        '<circle cx="46" cy="122" r="2.2" fill="#7a6a58"/>'
        '<path d="M39 134h14M39 141h9" stroke="#a85b36" stroke-width="2.2" stroke-linecap="round"/>'
    )
    return _turned(SHAPES["bowl"], glaze, id) + chip + label


def _thrown(name: str) -> Callable[[Glaze, str], str]:
    return lambda glaze, id: _turned(SHAPES[name], glaze, id)


_DRAWN: dict[str, Callable[[Glaze, str], str]] = {
    **{name: _thrown(name) for name in SHAPES},
    "plate": _plate,
    "tray": _tray,
    "spoon": _spoon_rest,
    "gift": _gift_card,
    "seconds": _seconds,
}
"""Every shape by its name."""

_SAME = {
    "cup": "tumbler",
    "beaker": "tumbler",
    "pitcher": "jug",
    "bottle": "carafe",
    "card": "gift",
    "pot": "planter",
    "dish": "plate",
    "platter": "tray",
    "candleholder": "candle",
    "candlestick": "candle",
    "sale": "seconds",
    "second": "seconds",
    "giftcard": "gift",
    "canister": "jar",
    "posy": "bud",
}
"""Other words for the same shapes."""


def _document(drawing: str) -> str:
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 200" width="800" height="800">{drawing}</svg>'
