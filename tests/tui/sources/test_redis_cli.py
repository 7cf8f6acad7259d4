from profiles.systems import RedisInstance
from tui.sources.redis_cli import redis_cli


def entry(url: str, **more: object) -> RedisInstance:
    return RedisInstance.model_validate({"url": url, **more})


def test_a_socket_and_a_database_are_named() -> None:
    assert redis_cli(entry("unix:///run/my redis.sock?db=2"), "INFO", "memory") == (
        "redis-cli -s '/run/my redis.sock' -n 2 INFO memory"
    )


def test_tls_host_and_port_are_named() -> None:
    assert redis_cli(entry("rediss://ops@cache:6380/1", ca_file="/etc/ca.pem"), "PING") == (
        "redis-cli -h cache -p 6380 --tls -n 1 --user ops --cacert /etc/ca.pem PING"
    )


def test_passwords_stay_references() -> None:
    assert redis_cli(entry("redis://cache", password="env:CACHE_PW"), "PING") == (
        'REDISCLI_AUTH="${CACHE_PW}" redis-cli -h cache -p 6379 PING'
    )
    by_file = redis_cli(entry("redis://cache", password="file:/run/secrets/pw"), "PING")
    assert by_file.startswith('REDISCLI_AUTH="$(cat /run/secrets/pw)" redis-cli')
    by_command = redis_cli(entry("redis://cache", password={"command": ["vault", "read", "a b"]}), "PING")
    assert by_command.startswith("REDISCLI_AUTH=\"$(vault read 'a b')\" redis-cli")


def test_a_url_that_is_a_reference_stays_one() -> None:
    assert redis_cli(entry("env:CACHE_URL"), "PING") == 'redis-cli -u "${CACHE_URL}" PING'


def test_arguments_are_quoted_for_the_shell() -> None:
    assert redis_cli(entry("redis://cache"), "GET", "a; rm -rf /").endswith("GET 'a; rm -rf /'")
