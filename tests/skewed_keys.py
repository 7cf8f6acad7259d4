"""Keys skewed as those of real caches are, in prefixes and sizes; and whether stated ranges hold their totals."""

import random
from collections.abc import Callable, Mapping

from tui.sources.redis_space import Space, prefix_of, shown

Key = tuple[bytes, int]
"""A name and a size in bytes."""


def _sizes(chance: random.Random) -> Callable[[], float]:
    scale, shape, spread = chance.lognormvariate(5, 1), chance.uniform(1.05, 2), chance.uniform(0.3, 2.5)
    kinds: list[Callable[[], float]] = [
        lambda: scale,
        lambda: scale * chance.lognormvariate(0, spread),
        lambda: scale * chance.paretovariate(shape),
        lambda: scale * (5000 if chance.random() < 0.001 else 1),
    ]
    return chance.choice(kinds)


def skewed(seed: int, count: int) -> list[Key]:
    """Return keys in random order: few prefixes have most of them, and few keys most of the bytes."""
    chance = random.Random(seed)
    names = [b"p%d" % seed + bytes([97 + place % 26]) * (1 + place // 26) for place in range(chance.randrange(4, 40))]
    exponent = chance.uniform(0.8, 1.8)
    sizes = [_sizes(chance) for _ in names]
    places = chance.choices(range(len(names)), [(1 + place) ** -exponent for place in range(len(names))], k=count)
    return [(b"%s:%d" % (names[place], number), 50 + int(sizes[place]())) for number, place in enumerate(places)]


def totals(keys: list[Key]) -> dict[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}
    for key, size in keys:
        name = shown(prefix_of(key))
        count, held = found.get(name, (0, 0))
        found[name] = count + 1, held + size
    return found


def lies_inside(space: Space, true: Mapping[str, tuple[int, int]]) -> bool:
    """Tell whether every prefix is what was stated: those that are shown, and those of which no key was seen."""
    rows = {one.name: one for one in space.prefixes}
    for name, (count, held) in true.items():
        row = rows.get(name)
        if row is None:
            is_inside = count <= space.unseen_keys
        else:
            is_inside = row.keys.low <= count <= row.keys.high
            is_inside = is_inside and row.bytes is not None and row.bytes.low <= held <= row.bytes.high
        if not is_inside:
            return False
    return True
