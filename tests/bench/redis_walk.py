"""`python -m tests.bench.redis_walk URL`: walk over the keys as the Redis tab does, until told to stop.

On SIGTERM it prints how many keys it saw, in how many seconds, with how many seconds of CPU.
"""

import asyncio
import importlib
import resource
import signal
import sys

from profiles.systems import RedisInstance
from tui.sources.redis_sampler import KeySampler


async def main(url: str) -> None:
    """Walk, again and again."""
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    await asyncio.to_thread(importlib.import_module, "redis.asyncio")
    sampler, began = KeySampler(RedisInstance(url=url)), _cpu()
    sampler.start()
    await stopped.wait()
    await sampler.close()
    if (found := sampler.facts()) is not None:
        sys.stdout.write(f"{found.space.seen} {found.spent_s:.2f} {_cpu() - began:.2f}\n")


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
