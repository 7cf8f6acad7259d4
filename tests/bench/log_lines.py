"""Lines as services write them, about 120 bytes each."""

import random
from collections.abc import Iterator

SOURCES = ("api", "web", "db", "jobs")
"""Names of the logs that they are written to in turn."""


def lines(count: int) -> Iterator[str]:
    """Yield lines with their ends; one in fifty is an error, and three in four tell of orders."""
    chance = random.Random(1)
    for number in range(count):
        level = "ERROR" if number % 50 == 0 else "INFO "
        path = "/api/orders" if number % 4 else "/api/products"
        yield (
            f"2026-01-02 03:{number // 60000 % 60:02}:{number // 1000 % 60:02},{number % 1000:03} {level} "
            f"[worker-{number % 8}] com.example.shop {path}/{chance.randrange(10_000)} status=200 "
            f"took_ms={chance.randrange(900)} trace={chance.getrandbits(64):016x}\n"
        )
