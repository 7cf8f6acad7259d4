"""What can be changed of a Redis server: clients, settings, keys, the whole → requests, or why not. Pure."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Final

from tui.actions.action import Request
from tui.actions.redis.flush import flush_request
from tui.actions.redis.kill import kill_request
from tui.actions.redis.setting import setting_request
from tui.actions.redis.unlink import unlink_request
from tui.actions.redis.upkeep import BGSAVE, PURGE, server_request
from tui.panes.offering import Offer
from tui.sources.redis_snapshot import RedisSnapshot
from widgets.choose_dialog import Choice

KILL_CLIENT: Final = "redis.kill_client"
SET: Final = "redis.set"
UNLINK: Final = "redis.unlink"
FLUSH: Final = "redis.flush"
SAVE: Final = "redis.save"
PURGE_MEMORY: Final = "redis.purge"


def offers(source: str, snapshot: RedisSnapshot, view: str, keys: Sequence[Hashable], db: int) -> tuple[Offer, ...]:
    """Return every change by its key, for what is marked or under the cursor.

    Args:
        source: name of the source.
        snapshot: what was read of it.
        view: the open view.
        keys: identities of the rows that are marked, or of the one under the cursor.
        db: the database whose keys are walked over; in the view of databases that of the row counts.
    """
    if view == "keyspace" and keys:
        db = int(str(keys[0])[2:])
    # Which setting, or which pattern, is chosen after the key; the guard does not depend on it.
    return (
        _clients(source, snapshot, view, keys),
        Offer(SET, (setting_request(source, snapshot, "maxmemory", "", ""),)),
        Offer(UNLINK, _unlinked(source, snapshot, view, keys, db)),
        Offer(FLUSH, (flush_request(source, snapshot, db),)),
        Offer(SAVE, (server_request(BGSAVE, source, snapshot),)),
        Offer(PURGE_MEMORY, (server_request(PURGE, source, snapshot),)),
    )


def _unlinked(
    source: str, snapshot: RedisSnapshot, view: str, keys: Sequence[Hashable], db: int
) -> tuple[Request, ...]:
    if view == "big" and keys:
        return tuple(unlink_request(source, snapshot, db, "", key) for key in keys if isinstance(key, bytes))
    return (unlink_request(source, snapshot, db, ""),)


def _clients(source: str, snapshot: RedisSnapshot, view: str, keys: Sequence[Hashable]) -> Offer:
    if view != "clients":
        return Offer(KILL_CLIENT, reason="choose a client: see Clients (tab)")
    if snapshot.clients is None:
        refused = next((one.reason for one in snapshot.refusals if one.command == "CLIENT LIST"), "refused")
        return Offer(KILL_CLIENT, reason=f"CLIENT LIST is {refused}")
    if not keys:
        return Offer(KILL_CLIENT, reason="no client under the cursor")
    clients = {client.id: client for client in snapshot.clients}
    if gone := [key for key in keys if key not in clients]:
        return Offer(KILL_CLIENT, reason=f"client {gone[0]} is gone")
    found = [clients[key] for key in keys if isinstance(key, int)]
    return Offer(KILL_CLIENT, tuple(kill_request(source, snapshot, client) for client in found))


def setting_choices(settings: Mapping[str, str]) -> list[Choice]:
    """Return the settings to choose from, by name, with the values they have."""
    return [Choice(name, name, value or '""') for name, value in sorted(settings.items())]
