"""`python -m tests.bench.redis_walk URL`: walk over the keys as the Redis tab does, until told to stop.

On SIGTERM it prints how many keys it saw, in how many seconds, with how many seconds of CPU.
"""

import asyncio
import resource
import signal
import sys

from profiles.schema import RedisInstance
from tui.sources.redis_sampler import KeySampler


async def main(url: str) -> None:
    """Walk, again and again."""
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    sampler = KeySampler(RedisInstance(url=url))
    sampler.start()
    await stopped.wait()
    await sampler.close()
    used, found = resource.getrusage(resource.RUSAGE_SELF), sampler.facts()
    if found is not None:
        sys.stdout.write(f"{found.space.seen} {found.spent_s:.2f} {used.ru_utime + used.ru_stime:.2f}\n")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
