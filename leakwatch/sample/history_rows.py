"""One sample's values as bytes: the number of each column's name, and a float64 beside it."""

import struct
from collections.abc import Callable, Mapping

_CELL = struct.Struct("<Id")


def pack(values: Mapping[str, float], number_of: Callable[[str], int]) -> bytes:
    """Twelve bytes a value."""
    return b"".join(_CELL.pack(number_of(name), value) for name, value in values.items())


def unpack(cells: bytes, names: Mapping[int, str]) -> dict[str, float]:
    """What `pack` made; a name that is not known is left out."""
    whole = len(cells) - len(cells) % _CELL.size
    return {names[number]: value for number, value in _CELL.iter_unpack(cells[:whole]) if number in names}
