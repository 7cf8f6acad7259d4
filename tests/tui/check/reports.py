"""A report with every verdict in it, fixed to the second."""

from tui.check.checks import PROBE, RULE, Check, Report
from tui.walkthroughs.run import Mark

REPORT = Report(
    "prod",
    "prod",
    1769904000.25,
    1.3127,
    (
        Check(PROBE, "database.answers", "database:orders", Mark.PASSED, value=0.016, shown="16 ms", age_s=0.4121),
        Check(
            RULE, "database.blocked", "database:orders", Mark.FAILED, value=12.0, shown="12", warn=1.0, critical=10.0,
            threshold="warn 1, critical 10", age_s=0.4121,
        ),
        Check(
            RULE, "host.disk_percent", "host:", Mark.WARNING, "/var", 87.5, "88 %", 85.0, 95.0,
            "warn 85, critical 95", 30.0, 0.2,
        ),
        Check(PROBE, "redis.answers", "redis:cache", Mark.UNKNOWN, detail="connection refused"),
        Check(
            RULE, "service.certificate_days", "service:api", Mark.SKIPPED, warn=21.0, critical=7.0, age_s=0.3,
            detail="not reported: nothing to judge",
        ),
    ),
)  # fmt: skip

HOSTILE = Check(
    RULE, "kubernetes.pod_restarts", "kubernetes:", Mark.FAILED, 'a"b\\c\nd<e>&\x00\x1b[31m\ufffe', 3.0, "3",
    detail="]]> \x08 ü",
)  # fmt: skip
