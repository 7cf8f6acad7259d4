"""Nothing that names a real system gets into the sandbox."""

from tui.sandbox.environment import kept, wall_off

REAL = {
    "KUBECONFIG": "/home/me/.kube/config",
    "PGHOST": "orders.example.com",
    "PGPASSWORD": "secret",
    "REDISCLI_AUTH": "secret",
    "AWS_PROFILE": "prod",
    "https_proxy": "http://proxy:3128",
    "NO_PROXY": "*",
}
HARMLESS = {"PATH": "/usr/bin", "HOME": "/home/me", "TERM": "xterm", "LANG": "C.UTF-8"}


def test_the_supervisor_sees_only_the_listed_variables() -> None:
    assert kept(REAL | HARMLESS) == {"PATH": "/usr/bin", "HOME": "/home/me", "LANG": "C.UTF-8"}


def test_the_wall_removes_what_leads_out_and_names_it() -> None:
    environ = REAL | HARMLESS
    assert wall_off(environ) == sorted(REAL)
    assert environ == HARMLESS
