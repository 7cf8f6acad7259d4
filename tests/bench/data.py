"""From the first frame to the first data of every source."""

from collections.abc import Iterator

from tests.bench.figures import Figure, figure
from tests.bench.screen import Screen
from tests.bench.stage import Stage, opstui

SEEN = {
    "1": ("services", r"gateway +ok"),
    "2": ("pods", r"shop +api-\S+ +1/1 +Running"),
    "3": ("database", r"accepting · PostgreSQL \d+"),
    "4": ("redis", r"(Valkey|Redis) \d.*master"),
    "5": ("logs", r"^\d\d:\d\d:\d\d +\S+"),
    "6": ("host", r"cpu +\d+ %"),
    "7": ("timeline", r"opstui +opened"),
}
"""What stands in a tab once its system has answered."""
EVERYTHING = r"✓ svc k8s pg redis logs host"


def measure(stage: Stage) -> Iterator[Figure]:
    """Open each tab in a fresh start, as soon as there is a frame; and see when the status line says all is well."""
    for key, (name, pattern) in SEEN.items():
        with Screen(opstui("--profile", str(stage.sandbox_profile)), env=stage.env) as screen:
            frame = screen.until(lambda shown=screen: any(shown.lines), 30)  # type: ignore[misc]
            if frame is None:
                raise TimeoutError("opstui drew nothing")
            screen.press(key)
            yield figure(f"first frame → first data, {name}", screen.wait(pattern) - frame, "s", 2, digits=2)
            if key == "1":
                everything = screen.wait(EVERYTHING) - frame
                yield figure("first frame → every source well (status line, ± 1 s)", everything, "s", digits=2)
