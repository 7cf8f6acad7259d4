"""The light load: requests of the shop's customers, as real work on the servers and lines in the logs."""

import asyncio
import contextlib
import random
import secrets
import time
from collections.abc import Awaitable, Callable, Generator, Mapping
from pathlib import Path

from redis.asyncio import Redis

from tui.sandbox.connections import LOST, REDIS_LOST, AppConnection, close, redis_client
from tui.sandbox.service_logs import TRACES, ServiceLogs
from tui.sandbox.services import Service
from tui.sandbox.shop import dsn

REQUEST_EVERY_S = 0.25
REPORT_EVERY_S = 40.0
_FIRST_REPORT_S = 10.0
PRODUCTS = range(21, 501)
"""Products 1 to 20 are left to the scenarios, so that their locks hold up nobody else."""
CUSTOMERS = range(21, 2001)
_CACHED_AT_START = 150

_REPORT = """
SELECT c.country, count(*) AS unpaid, sum(o.total_cents) AS cents
  FROM (SELECT * FROM orders ORDER BY id DESC LIMIT 2400) o
  JOIN customers c ON c.id = o.customer_id
 WHERE (SELECT count(*) FROM payments p WHERE p.order_id = o.id) = 0
 GROUP BY 1 ORDER BY cents DESC
"""
"""Slow for the usual reason: payments.order_id has no index."""
_RETENTION = "DELETE FROM orders WHERE id <= (SELECT max(id) - 6000 FROM orders) AND id > 20"
_RANKING = """
local best = 0
for round = 1, 120 do
    for _, score in ipairs(redis.call('ZRANGE', KEYS[1], 0, 99, 'WITHSCORES')) do best = best + #score end
end
return best
"""
"""A few milliseconds: SLOWLOG has something to show."""
_WORDS = ("lamp", "desk", "blue chair", "kettle", "rug 200x300", "shelf", "oak table", "garden hose")


class CacheLost(Exception):
    """Redis did not answer an application."""


class Traffic:
    """Customers: a request now and then, each with a trace id that its log lines share."""

    def __init__(self, base: Path, redis_path: str, services: Mapping[str, Service], logs: ServiceLogs) -> None:
        self._services = services
        self._logs = logs
        app = dsn(base, "app")
        names = ("orders-api", "orders-api", "orders-api", "checkout", "checkout", "payments", "catalog", "catalog")
        self._sessions = [AppConnection(app, name) for name in names]
        self._reporting = AppConnection(dsn(base, "reporting"), "reporting")
        self._web: list[Redis] = [redis_client(redis_path, f"web-{number}") for number in (1, 2)]
        self._sessions_cache = redis_client(redis_path, "auth-sessions")
        self._worker = redis_client(redis_path, "worker-emails", timeout_s=None)
        self._subscriber = redis_client(redis_path, "notifier", timeout_s=None)
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Begin to send requests."""
        for session in self._sessions:
            self._spawn(self._open(session))
        for run in (self._fill_cache, self._customers, self._reports, self._emails, self._notifications):
            self._spawn(run())

    async def _open(self, session: AppConnection) -> None:
        with contextlib.suppress(*LOST):
            async with session.use() as connection:
                await connection.execute("SELECT 1")

    async def _fill_cache(self) -> None:
        with contextlib.suppress(*REDIS_LOST):
            async with self._web[1].pipeline(transaction=False) as pipeline:
                for product in PRODUCTS[:_CACHED_AT_START]:
                    pipeline.set(f"product:{product}", "x" * random.randint(200, 900), ex=random.randint(60, 900))
                for _ in range(60):
                    session = f"session:{secrets.token_hex(8)}"
                    pipeline.hset(session, mapping={"customer": random.choice(CUSTOMERS), "cart": "[]"})
                    pipeline.expire(session, random.randint(300, 1800))
                pipeline.zadd("popular:products", {str(product): 1 for product in PRODUCTS})
                pipeline.rpush("queue:exports", *(f"export:{number}" for number in range(12)))
                pipeline.hset("config:flags", mapping={"new-checkout": "on", "search-v2": "off"})
                await pipeline.execute()

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """End all requests and close all connections."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for session in (*self._sessions, self._reporting):
            session.drop()
        for client in (*self._web, self._sessions_cache, self._worker, self._subscriber):
            with contextlib.suppress(*REDIS_LOST):
                await client.aclose()

    async def _customers(self) -> None:
        kinds: tuple[Callable[[str], Awaitable[None]], ...] = (self._product, self._search, self._order, self._login)
        while True:
            await asyncio.sleep(random.expovariate(1 / REQUEST_EVERY_S))
            if len(self._tasks) < 40:
                (kind,) = random.choices(kinds, (10, 3, 4, 3))
                self._spawn(kind(secrets.token_hex(8)))

    async def _product(self, trace_id: str) -> None:
        product = PRODUCTS[min(int(random.paretovariate(0.5)), len(PRODUCTS)) - 1]
        key = f"product:{product}"
        client = random.choice(self._web)
        started = time.monotonic()

        async def look_up() -> None:
            with self._observing_redis("api"):
                await client.zincrby("popular:products", 1, str(product))
                if await client.get(key) is not None:
                    return
            async with self._session("catalog").use() as connection:
                row = await connection.fetchrow("SELECT sku, title, price_cents FROM products WHERE id = $1", product)
            with self._observing_redis("api"):
                await client.set(key, str(dict(row or {})), ex=random.randint(60, 600))

        await self._request("api", "GET", f"/api/products/{product}", look_up, trace_id, started)

    async def _login(self, trace_id: str) -> None:
        started = time.monotonic()
        customer = random.choice(CUSTOMERS)

        async def log_in() -> None:
            with self._observing_redis("auth"):
                session = f"session:{secrets.token_hex(8)}"
                await self._sessions_cache.hset(session, mapping={"customer": customer, "cart": "[]"})
                await self._sessions_cache.expire(session, 1800)
            async with self._session("orders-api").use() as connection:
                await connection.execute("UPDATE customers SET visits = visits + 1 WHERE id = $1", customer)

        await self._request("api", "POST", "/api/login", log_in, trace_id, started)

    async def _order(self, trace_id: str) -> None:
        started = time.monotonic()

        async def place() -> None:
            async with self._session("checkout").use() as connection, connection.transaction():
                order = await connection.fetchval(
                    "INSERT INTO orders (customer_id, status, total_cents) VALUES ($1, 'placed', $2) RETURNING id",
                    random.choice(CUSTOMERS),
                    random.randint(500, 30000),
                )
                for product in sorted(random.sample(PRODUCTS, 2)):
                    await connection.execute(
                        "INSERT INTO order_items VALUES ($1, $2, 1, (SELECT price_cents FROM products WHERE id = $2))",
                        order,
                        product,
                    )
                    await connection.execute(
                        "UPDATE inventory SET reserved = reserved + 1 WHERE product_id = $1 AND warehouse = $2",
                        product,
                        random.randint(1, 3),
                    )
                await asyncio.sleep(random.uniform(0.005, 0.08))
            with self._observing_redis("orders"):
                await self._web[0].lpush("queue:emails", f"order-confirmation:{order}")
                await self._web[0].publish("orders", str(order))
            self._spawn(self._pay(order, trace_id))

        await self._request("orders", "POST", "/api/orders", place, trace_id, started)

    async def _pay(self, order: int, trace_id: str) -> None:
        await asyncio.sleep(random.uniform(0.2, 2))
        started = time.monotonic()

        async def capture() -> None:
            await asyncio.sleep(random.uniform(0.05, 0.2))
            async with self._session("payments").use() as connection, connection.transaction():
                await connection.execute(
                    "INSERT INTO payments (order_id, provider, status, captured_at)"
                    " VALUES ($1, 'card', 'captured', now())",
                    order,
                )
                await connection.execute("UPDATE orders SET status = 'paid' WHERE id = $1", order)

        await self._request("payments", "POST", f"/api/orders/{order}/payment", capture, trace_id, started)

    async def _search(self, trace_id: str) -> None:
        words = random.choice(_WORDS)
        latency_ms = random.lognormvariate(3.6, 0.5) * self._services["search"].slower_by
        await asyncio.sleep(latency_ms / 1000)
        if random.random() < self._services["search"].error_share:
            self._logs.text("ERROR", f"query failed q={words!r} reason=shard 2 not available trace={trace_id}")
        elif latency_ms > 90:
            self._logs.text("WARN", f"slow query q={words!r} took={latency_ms:.0f}ms trace={trace_id}")
        else:
            self._logs.text("INFO", f"query q={words!r} hits={random.randrange(400)} took={latency_ms:.0f}ms")
        self._logs.access("GET", f"/api/search?q={words.replace(' ', '+')}", 200, 8123, latency_ms, trace_id)

    async def _request(
        self,
        service: str,
        method: str,
        path: str,
        work: Callable[[], Awaitable[None]],
        trace_id: str,
        started: float,
    ) -> None:
        """Do `work` in the name of `service` and log how it went, in its own log and the gateway's."""
        level, message, status, trace = "INFO", f"{method} {path}", 200, ""
        try:
            if random.random() < self._services[service].error_share:
                level, message, status = "ERROR", f"{method} {path} failed", random.choice((500, 502, 503))
                trace = TRACES[service] if random.random() < 0.5 else ""
            else:
                await asyncio.sleep(random.lognormvariate(2.5, 0.6) / 1000)
                await work()
                self._observe(service, "db", is_good=True)
        except CacheLost as error:
            level, message, status = "WARN", f"cache not available: {_words(error)}", 200
        except LOST as error:
            self._observe(service, "db", is_good=False)
            level, message, status = "ERROR", f"database not available: {_words(error)}", 503
        extra_ms = (self._services[service].slower_by - 1) * self._services[service].latency_ms
        latency_ms = (time.monotonic() - started) * 1000 + extra_ms
        if level == "INFO" and latency_ms > 250:
            level, message = "WARN", f"slow: {message}"
        fields: dict[str, object] = {
            "latency_ms": round(latency_ms, 1),
            "method": method,
            "path": path,
            "status": status,
            "trace_id": trace_id,
        }
        self._logs.event(service, level, message, fields, trace)
        self._logs.access(method, path, status, random.randrange(200, 9000), latency_ms, trace_id)

    def _observe(self, service: str, component: str, *, is_good: bool) -> None:
        entry = self._services[service].components.get(component)
        if entry is not None:
            entry.observed = "good" if is_good else "bad"

    @contextlib.contextmanager
    def _observing_redis(self, service: str) -> Generator[None, None, None]:
        try:
            yield
        except REDIS_LOST as error:
            self._observe(service, "redis", is_good=False)
            raise CacheLost(_words(error)) from error
        self._observe(service, "redis", is_good=True)

    def _session(self, name: str) -> AppConnection:
        """Return a free session of that application, or the first of the busy ones."""
        sessions = [session for session in self._sessions if session.application_name == name]
        return next((session for session in sessions if not session.is_busy), sessions[0])

    def recycle(self, application: str) -> None:
        """Close the idle sessions of an application, as pools do with old ones; the next request opens one anew."""
        for session in self._sessions:
            if session.application_name == application and not session.is_busy:
                session.drop()

    async def _reports(self) -> None:
        await asyncio.sleep(_FIRST_REPORT_S)
        while True:
            with contextlib.suppress(*LOST):
                async with self._reporting.use(statement_s=60) as connection:
                    await connection.fetch(_REPORT)
                async with self._session("checkout").use() as connection:
                    await connection.execute(_RETENTION)
            with contextlib.suppress(*REDIS_LOST):
                await self._web[0].eval(_RANKING, 1, "popular:products")
            await asyncio.sleep(REPORT_EVERY_S * random.uniform(0.7, 1.3))

    async def _emails(self) -> None:
        while True:
            try:
                if await self._worker.brpop(["queue:emails"], timeout=20) is not None:
                    await asyncio.sleep(random.uniform(0.1, 4))
            except REDIS_LOST:
                await asyncio.sleep(2)

    async def _notifications(self) -> None:
        while True:
            subscription = self._subscriber.pubsub()
            try:
                await subscription.subscribe("orders")
                while True:
                    await subscription.get_message(timeout=30)
            except REDIS_LOST:
                await asyncio.sleep(2)
            finally:
                with contextlib.suppress(*REDIS_LOST):
                    await close(subscription)


def _words(error: BaseException) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
