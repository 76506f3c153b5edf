"""One accent in, the storefront's colours out, for light and dark, so that a shop's colour stays readable.

Worked out once, when the merchant saves, and published with the program; no colour is computed in a browser. Lightness
moves in OKLCH (hue kept, chroma cut to what sRGB can show), which changes a colour without changing its character.
Contrast is WCAG 2's. Floats are fine here: it is colour, and the result is rounded to bytes.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from app.program.settings import Look

Rgb = tuple[float, float, float]  # sRGB, 0 to 1

SURFACE = {"light": "#ffffff", "dark": "#1a1b1d"}
INK = "#1d1e20"
WHITE = "#ffffff"

_STEP = 0.01
_CHROMA_STEP = 0.002


def palette(accent: str) -> dict[str, dict[str, str]]:
    """{"light": {"fill", "on", "text", "soft", "rim"}, "dark": {…}}, each "#rrggbb"; `accent` is one too."""
    return {"light": _tokens(accent.lower(), "light"), "dark": _tokens(accent.lower(), "dark")}


def corrections(look: Look) -> list[str]:
    """What was changed about the accent and why, for the merchant, beside the field."""
    colours = palette(look.accent)
    light, dark = colours["light"], colours["dark"]
    said = []
    if light["fill"] != look.accent:
        said.append(f"Buttons use {light['fill']}, so that their label can be read.")
    if light["text"] != look.accent:
        said.append(f"Text in your colour uses {light['text']}, dark enough to read on white.")
    if dark["fill"] != look.accent or dark["text"] != look.accent:
        said.append(f"In dark mode buttons use {dark['fill']} and text {dark['text']}, to stand out from the dark.")
    return said


def contrast(one: str, other: str) -> float:
    """WCAG 2 contrast of two colours, 1 to 21."""
    a, b = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (a + 0.05) / (b + 0.05)


def _tokens(accent: str, mode: str) -> dict[str, str]:
    surface = SURFACE[mode]
    fill = accent
    if mode == "dark":
        fill = _move(accent, +_STEP, lambda colour: contrast(colour, surface) >= 3)
    if contrast(WHITE, fill) >= 4.5:
        on = WHITE
    elif contrast(INK, fill) >= 4.5:
        on = INK
    else:  # a middling colour that neither can be read on
        fill = _move(fill, -_STEP, lambda colour: contrast(WHITE, colour) >= 4.5)
        on = WHITE
    soft = _mix(accent, surface, 0.08) if mode == "light" else _mix(fill, surface, 0.16)
    step, least = (-_STEP, 4.5) if mode == "light" else (+_STEP, 5.5)
    text = _move(accent, step, lambda colour: min(contrast(colour, surface), contrast(colour, soft)) >= least)
    rim = fill if contrast(fill, surface) >= 3 else text
    return {"fill": fill, "on": on, "text": text, "soft": soft, "rim": rim}


def _move(colour: str, step: float, enough: Callable[[str], bool]) -> str:
    """The colour, or the first step of lightness from it that is enough (black or white at the latest)."""
    lightness, chroma, hue = _oklch(colour)
    while not enough(colour) and (lightness < 1 if step > 0 else lightness > 0):
        lightness = min(1.0, max(0.0, lightness + step))
        colour = _hex(_into_srgb(lightness, chroma, hue))
    return colour


def _into_srgb(lightness: float, chroma: float, hue: float) -> Rgb:
    """The colour with as much of its chroma as sRGB can show at this lightness, in steps of 0.002."""
    while not _shown(rgb := _from_oklch(lightness, chroma, hue)) and chroma > 0:
        chroma = max(0.0, chroma - _CHROMA_STEP)
    return rgb


def _shown(rgb: Rgb) -> bool:
    return all(-1e-6 <= channel <= 1 + 1e-6 for channel in rgb)


def _mix(colour: str, surface: str, share: float) -> str:
    pairs = zip(_rgb(colour), _rgb(surface), strict=True)
    red, green, blue = (share * a + (1 - share) * b for a, b in pairs)
    return _hex((red, green, blue))


def _rgb(colour: str) -> Rgb:
    return int(colour[1:3], 16) / 255, int(colour[3:5], 16) / 255, int(colour[5:7], 16) / 255


def _hex(rgb: Rgb) -> str:
    return "#" + "".join(f"{round(min(1.0, max(0.0, channel)) * 255):02x}" for channel in rgb)


def _luminance(colour: str) -> float:
    red, green, blue = map(_linear, _rgb(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)


def _encoded(channel: float) -> float:
    return 12.92 * channel if channel <= 0.0031308 else float(1.055 * channel ** (1 / 2.4) - 0.055)


def _oklch(colour: str) -> tuple[float, float, float]:
    """Lightness 0 to 1, chroma, hue in radians (Björn Ottosson's OKLab)."""
    r, g, b = map(_linear, _rgb(colour))
    long = math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b)
    medium = math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b)
    short = math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b)
    lightness = 0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short
    a = 1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short
    b = 0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short
    return lightness, math.hypot(a, b), math.atan2(b, a)


def _from_oklch(lightness: float, chroma: float, hue: float) -> Rgb:
    a, b = chroma * math.cos(hue), chroma * math.sin(hue)
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        _encoded(4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short),
        _encoded(-1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short),
        _encoded(-0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short),
    )
