import pytest

from profiles.loader import load
from profiles.problems import ProfileError
from profiles.sandbox_wall import NAMES
from tests.profiles.conftest import Write

ENDPOINTS = {name: f"/private/{name}" for name in NAMES} | {
    "postgres": "postgresql://opstui@/shop?host=/private&port=5432",
    "redis": "unix:///private/redis.sock?db=0",
    **{name: f"http://127.0.0.1:9/{name}" for name in NAMES if name.startswith("service_")},
}


@pytest.mark.parametrize(
    "line",
    [
        "kubernetes: {context: prod}",
        "kubernetes: {kubeconfig: /root/.kube/config}",
        "kubernetes: {optional: true}",
        "services: {api: 'http://127.0.0.1:80/'}",
        "services: {api: '${sandbox.service_api}@prod.example.com/'}",
        "services: {api: {url: '${sandbox.service_api}', headers: {A: env:TOKEN}}}",
        "services: {api: {url: '${sandbox.service_api}', ca_file: /etc/ca.pem}}",
        "services: {api: {url: '${sandbox.service_api}', token: env:TOKEN}}",
        "services: {api: {url: '${sandbox.service_api}', ca_file: '${sandbox.base}/../etc/ca.pem'}}",
        "services: {api: {url: '${sandbox.service_api}', probes: {a: {get: /, headers: {A: env:TOKEN}}}}}",
        "services: {api: {url: '${sandbox.service_api}', login: {post: /l, form: {password: env:PASSWORD}}}}",
        "services: {api: {url: '${sandbox.service_api}', login: {post: /l, form: {p: 'file:/root/.pgpass'}}}}",
        "services: {api: {url: '${sandbox.service_api}', login: {post: /l, json: {p: {command: [id]}}}}}",
        "services: {api: {url: '${sandbox.service_api}', login: {post: /l, form: {p: 'file:${sandbox.base}/../x'}}}}",
        "services: {api: '${sandbox.redis}'}",
        "databases: {a: service=prod}",
        "databases: {a: env:DSN}",
        "databases: {a: '${sandbox.postgres} host=prod'}",
        "databases: {a: 'x${sandbox.postgres}'}",
        "databases: {a: {dsn: '${sandbox.postgres}', password: env:PGPASSWORD}}",
        "databases: {a: '${sandbox.postgress}'}",
        "pgbouncer: {a: 'host=prod port=6432 dbname=pgbouncer'}",
        "pgbouncer: {a: '${sandbox.postgres}'}",
        "redis: {a: 'redis://127.0.0.1:6379'}",
        "logs: {a: /var/log/syslog}",
        "logs: {a: '${sandbox.logs}/../../etc/passwd'}",
        "logs: {a: '${sandbox.logs}'}",
        "logs: {a: {command: [cat, /etc/passwd]}}",
    ],
)
def test_a_sandbox_profile_names_nothing_outside_the_sandbox(write: Write, line: str) -> None:
    write("box", f"environment: sandbox\n{line}\n")
    with pytest.raises(ProfileError) as refused:
        load("box")
    assert all("box.yaml:2:" in str(problem) for problem in refused.value.problems)


def test_a_sandbox_profile_cannot_inherit_a_real_system(write: Write) -> None:
    base = write("real", "environment: prod\ndatabases: {orders: service=orders}\n")
    write("box", "extends: real\nenvironment: sandbox\n")
    with pytest.raises(ProfileError, match=f"{base}:2"):
        load("box")


@pytest.mark.parametrize("environment", ["prod", "staging", "dev", "sandobx"])
@pytest.mark.parametrize(
    "line",
    ["redis: {a: '${sandbox.redis}'}", "logs: {a: {command: [cat, '${sandbox.base}/x']}}", "kubernetes: ${sandbox.x}"],
)
def test_no_other_profile_reaches_into_the_sandbox(write: Write, environment: str, line: str) -> None:
    write("real", f"environment: {environment}\n{line}\n")
    with pytest.raises(ProfileError, match="only under environment: sandbox"):
        load("real")


def test_the_demo_keeps_its_placeholders_until_there_is_a_sandbox() -> None:
    assert load("demo").profile.redis["cache"].url == "${sandbox.redis}"
    filled = load("demo", sandbox=ENDPOINTS).profile
    assert filled.redis["cache"].url == ENDPOINTS["redis"]
    assert filled.databases["shop"].dsn == ENDPOINTS["postgres"]
    assert filled.logs["services"].file == "/private/logs/*.log"
    assert "${" not in filled.model_dump_json()


def test_a_placeholder_the_sandbox_does_not_know_is_a_problem() -> None:
    with pytest.raises(ProfileError, match="the sandbox has no "):
        load("demo", sandbox={"kubeconfig": "/x"})
