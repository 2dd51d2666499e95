"""A pen font for the picture's axes: digits, what stands between them, and the letters of units. Pure.

A glyph is a few strokes on a grid 4 wide and 6 high, ``xy`` by ``xy``, from the top left; a space lifts the pen.
"""

from collections.abc import Iterator

import numpy as np

from leakwatch.trace import FloatArray

WIDTH = 5.5
"""From one glyph to the next."""

_GLYPHS = {
    "0": "103041453616050110",
    "1": "112026 1636",
    "2": "011030414233050646",
    "3": "0110304142334445361605 1333",
    "4": "36300444",
    "5": "40000222324345361605",
    "6": "413010010516364544331304",
    "7": "004016",
    "8": "103041423313020110 133344453616050413",
    "9": "051636454130100102133342",
    ".": "2526",
    ",": "2617",
    ":": "2122 2425",
    "-": "0343",
    "/": "4006",
    "B": "0006 003041423303 3344453606",
    "G": "41301001051636454323",
    "K": "0006 4003 1246",
    "M": "0600234046",
    "T": "0040 2026",
    "P": "06003041423303",
    "E": "40000646 0333",
    "i": "2226 2020",
    "d": "4046 4232120305163645",
    "h": "0006 0312324346",
    "m": "0602 03122326 23324346",
    "n": "0602 0312324346",
    "s": "42120333443606",
}


def strokes(text: str) -> Iterator[FloatArray]:
    """Each stroke of the text as (points, 2), x then y; what has no glyph is left out."""
    for place, character in enumerate(text):
        for stroke in _GLYPHS.get(character, "").split():
            digits = np.array([int(digit) for digit in stroke], dtype=float).reshape(-1, 2)
            yield digits + np.array([place * WIDTH, 0.0])
