"""Log position as one number, by which facts are ordered: partition (10 bits) · offset · item, together 63 bits."""

from __future__ import annotations

from typing import NamedTuple

ITEM_BITS, OFFSET_BITS = 14, 39


class Place(NamedTuple):
    """Where a fact lies in its topic; `item` counts the facts of one event."""

    partition: int
    offset: int
    item: int


def place_of(order: int) -> Place:
    """The place that a value of the order column stands for."""
    item = order & ((1 << ITEM_BITS) - 1)
    return Place(order >> (OFFSET_BITS + ITEM_BITS), (order >> ITEM_BITS) & ((1 << OFFSET_BITS) - 1), item)
