"""The colours a shop's accent becomes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.program.palette import INK, SURFACE, WHITE, contrast, corrections, palette
from app.program.settings import Look

# The drawing's own figures: accent, mode, fill, on, text, soft, rim.
VECTORS = """
#2447a8 light #2447a8 #ffffff #2447a8 #edf0f8 #2447a8
#2447a8 dark  #3b62c6 #ffffff #719bff #1f2638 #3b62c6
#e8b23a light #e8b23a #1d1e20 #926b05 #fdf9ef #926b05
#e8b23a dark  #e8b23a #1d1e20 #e8b23a #3b3322 #e8b23a
#f4c6c9 light #f4c6c9 #1d1e20 #90676a #fefafb #90676a
#f4c6c9 dark  #f4c6c9 #1d1e20 #f4c6c9 #3d3639 #f4c6c9
#000000 light #000000 #ffffff #000000 #ebebeb #000000
#000000 dark  #666666 #ffffff #9e9e9e #262729 #666666
#d9f15a light #d9f15a #1d1e20 #6d7b05 #fcfef2 #6d7b05
#d9f15a dark  #d9f15a #1d1e20 #d9f15a #393d27 #d9f15a
#c2452d light #c2452d #ffffff #bf422a #faf0ee #c2452d
#c2452d dark  #c2452d #ffffff #fa785e #352220 #c2452d
#ffffff light #ffffff #1d1e20 #747474 #ffffff #747474
#ffffff dark  #ffffff #1d1e20 #ffffff #3f3f41 #ffffff
"""


@pytest.mark.parametrize("vector", VECTORS.strip().splitlines())
def test_accent_becomes_the_colours_of_the_drawing(vector):
    accent, mode, fill, on, text, soft, rim = vector.split()
    assert palette(accent)[mode] == {"fill": fill, "on": on, "text": text, "soft": soft, "rim": rim}


@given(st.integers(0, 0xFFFFFF))
def test_every_accent_can_be_read(number):
    for mode, colours in palette(f"#{number:06x}").items():
        surface = SURFACE[mode]
        least = 4.5 if mode == "light" else 5.5
        assert colours["on"] in (WHITE, INK)
        assert contrast(colours["on"], colours["fill"]) >= 4.5
        assert min(contrast(colours["text"], surface), contrast(colours["text"], colours["soft"])) >= least
        assert contrast(colours["rim"], surface) >= 3


def test_capitals_make_no_difference():
    assert palette("#E8B23A") == palette("#e8b23a")


def test_says_what_was_corrected_and_why():
    assert corrections(Look(accent="#e8b23a")) == ["Text in your colour uses #926b05, dark enough to read on white."]
    assert corrections(Look(accent="#2447a8")) == [
        "In dark mode buttons use #3b62c6 and text #719bff, to stand out from the dark."
    ]
