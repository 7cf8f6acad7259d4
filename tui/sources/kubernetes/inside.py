"""What the allow-listed programs say inside a container, and what that means. Pure: text in, sentences out."""

import re
from dataclasses import dataclass
from typing import Final

_ADDRESS: Final = re.compile(
    r"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7})(?![\w.:])"
)
_HTTP: Final = re.compile(r"HTTP/[\d.]+\s+(\d{3})")
_FULL_PERCENT: Final = 90
_FILLING_PERCENT: Final = 80
OFTEN_PERCENT: Final = 25.0
"""From this part of its periods on a container is held often."""
_SOMETIMES_PERCENT: Final = 5.0


@dataclass(frozen=True, slots=True)
class Throttling:
    """The CPU account of a control group: `cpu.stat` of cgroup v2 or v1."""

    periods: int
    """Enforcement periods so far (`nr_periods`), usually of 100 ms; 0 without a limit."""
    throttled: int
    """Periods in which it was held (`nr_throttled`)."""
    held_s: float
    """Seconds its threads were held altogether (`throttled_usec`, or v1's `throttled_time` in ns)."""
    version: int
    """Of the control groups: 1 or 2; 0 where nobody says."""

    @property
    def percent(self) -> float:
        """Part of the periods in which it was held, 0 to 100."""
        return 100.0 * self.throttled / self.periods if self.periods else 0.0

    def since(self, earlier: "Throttling") -> "Throttling":
        """Return what was added since an earlier reading of the same group."""
        return Throttling(
            max(0, self.periods - earlier.periods),
            max(0, self.throttled - earlier.throttled),
            max(0.0, self.held_s - earlier.held_s),
            self.version,
        )


def throttling(said: str) -> Throttling | None:
    """Return the account in a `cpu.stat`; None when it is none."""
    found: dict[str, int] = {}
    for line in said.splitlines():
        name, _, value = line.partition(" ")
        if value.strip().isascii() and value.strip().isdecimal() and len(value) < 25:
            found[name] = int(value)
    if "throttled_time" in found:
        return Throttling(found.get("nr_periods", 0), found.get("nr_throttled", 0), found["throttled_time"] / 1e9, 1)
    if "usage_usec" in found or "nr_periods" in found:
        held_s = found.get("throttled_usec", 0) / 1e6
        return Throttling(found.get("nr_periods", 0), found.get("nr_throttled", 0), held_s, 2)
    return None


def limit_cores(said: str) -> float | None:
    """Return the limit in `cpu.max` (or v1's quota and period, one behind the other), in cores; None without one."""
    words = said.split()
    if len(words) < 2 or not all(word.isascii() and word.lstrip("-").isdecimal() for word in words[:2]):
        return None
    quota, period = int(words[0][:15]), int(words[1][:15])
    return quota / period if quota > 0 and period > 0 else None


def throttling_words(since_start: Throttling, lately: Throttling, limit: float | None) -> list[str]:
    """Say what the account means."""
    if not since_start.periods:
        return ["No CPU limit is set: it is never throttled (it may still wait for a busy node)."]
    bound = f" of {limit:g} cores" if limit is not None else ""
    words = [
        f"Held by its CPU limit{bound} in {since_start.percent:.1f} % of its periods since it started "
        f"({since_start.throttled} of {since_start.periods}), {since_start.held_s:.0f} s altogether."
    ]
    if lately.periods:
        words.append(f"Right now: {lately.throttled} of {lately.periods} periods.")
        now = lately.percent
    else:
        words.append("Right now it is idle: no period was counted.")
        now = 0.0
    return [*words, meaning(max(now, since_start.percent))]


def meaning(percent: float) -> str:
    """Say what it means to be held in so many percent of the periods."""
    if percent >= OFTEN_PERCENT:
        return "That is often: requests wait while it is held. Raise the limit, or run more replicas."
    if percent >= _SOMETIMES_PERCENT:
        return "That is enough to show in the slowest requests."
    return "That is little: throttling does not explain slowness."


@dataclass(frozen=True, slots=True)
class FileSystem:
    """One row of `df -P`."""

    name: str
    size_kib: int
    used_kib: int
    percent: int
    """Used, as df says."""
    mounted_on: str


def file_systems(said: str) -> list[FileSystem]:
    """Return the rows of `df -P`, without those of no size."""
    found = []
    for line in said.splitlines()[1:]:
        words = line.split(None, 5)
        if len(words) < 6 or not all(
            word.isascii() and word.isdecimal() for word in (*words[1:4], words[4].rstrip("%"))
        ):
            continue
        if size := int(words[1]):
            found.append(FileSystem(words[0], size, int(words[2]), int(words[4].rstrip("%")), words[5]))
    return found


def disk_words(found: list[FileSystem], *, what: str = "space") -> list[str]:
    """Say which file systems fill up."""
    if not found:
        return [f"Nothing was told about {what}."]
    tight = sorted((one for one in found if one.percent >= _FILLING_PERCENT), key=lambda one: -one.percent)
    if not tight:
        fullest = max(found, key=lambda one: one.percent)
        return [f"There is {what} everywhere: the fullest is {fullest.mounted_on}, {fullest.percent} % used."]
    words = []
    for one in tight:
        how = "FULL, or nearly" if one.percent >= _FULL_PERCENT else "filling up"
        words.append(f"{one.mounted_on} is {how}: {one.percent} % of its {what} is used.")
    if any(one.name == "overlay" for one in tight):
        words.append("overlay is the node's own disk: its other pods feel it too.")
    return words


def process_words(said: str) -> list[str]:
    """Say how many processes there are, by what `ps` or `/proc/N/stat` files tell."""
    lines = [line for line in said.splitlines() if line.strip()]
    if not lines:
        return ["No process was told."]
    head = lines[0].split()
    rows = lines[1:] if "PID" in head else lines
    if "STAT" in head:
        at = head.index("STAT")
        states = [words[at] for line in rows if len(words := line.split()) > at]
    else:
        states = [found[1] for line in rows if (found := re.match(r"\d+ \(.*\) (\w)", line))]
    zombies = sum(state.startswith("Z") for state in states)
    stuck = sum(state.startswith("D") for state in states)
    words = [f"{len(rows)} processes, this look among them."]
    if zombies:
        words.append(f"{zombies} zombies: their parent does not collect them (no init in the container?).")
    if stuck:
        words.append(f"{stuck} in uninterruptible sleep (D): they wait for a disk or a file server.")
    return words


def addresses(said: str) -> list[str]:
    """Return the IP addresses in what a look-up said, each once; those of name servers are left out."""
    found: dict[str, None] = {}
    is_server = False
    for line in said.splitlines():
        if line.lower().startswith("server:"):
            is_server = True
            continue
        if is_server and line.lower().startswith("address"):
            is_server = False
            continue
        found |= dict.fromkeys(_ADDRESS.findall(line))
    return list(found)


def name_words(name: str, status: int, said: str, resolver: str) -> list[str]:
    """Say what a look-up of `name` found; `resolver` is `/etc/resolv.conf`, as far as it could be read."""
    found = addresses(said)
    if found and status == 0:
        return [f"{name} is {', '.join(found)}, seen from here."]
    words = [f"{name} is not known here."]
    options = dict(line.split(None, 1) for line in resolver.splitlines() if len(line.split(None, 1)) == 2)
    if "nameserver" in options:
        words.append(f"Asked: {options['nameserver']}, with the suffixes {options.get('search', '(none)')}.")
    if "." not in name:
        words.append("Of another namespace? Then say name.namespace.")
    return words


def http_words(url: str, status: int, said: str, complained: str) -> list[str]:
    """Say what became of a request, by what curl, wget or Python's urllib told."""
    if timed := re.fullmatch(r"(\d{3})((?: \d+\.\d+){4}) (\S*)\s*", said):
        code, (looked_up, connected, first, whole), peer = timed[1], map(float, timed[2].split()), timed[3]
        if code != "000":
            return [
                f"{url} answered {code} in {whole * 1000:.0f} ms, from {peer or 'an address not told'}.",
                f"Name {looked_up * 1000:.0f} ms, connected after {connected * 1000:.0f} ms, first byte after "
                f"{first * 1000:.0f} ms.",
                *_code_words(code),
            ]
    elif codes := _HTTP.findall(f"{said}\n{complained}"):
        return [f"{url} answered {codes[-1]}.", *_code_words(codes[-1])]
    elif status == 0:
        return [f"{url} answered, with success; the program told no code."]
    return [f"{url} could not be reached from here.", *_failure_words(complained.lower())]


def _code_words(code: str) -> list[str]:
    match code[0]:
        case "2":
            return []
        case "3":
            return ["It leads elsewhere; that was not followed."]
        case "5":
            return ["It is reached, and fails itself, or what stands before it has nobody to ask."]
    return ["It is reached, and refuses this request: the network is not the trouble."]


def _failure_words(complained: str) -> list[str]:
    for words, meaning in (
        (
            ("resolve", "bad address", "name or service not known", "unknown host"),
            "Its name is not known: look DNS up.",
        ),
        (("refused",), "Its address is there and nothing listens on the port: is a pod of it ready?"),
        (("timed out", "timeout"), "Nobody answered in time: a NetworkPolicy, or the pod is stuck."),
        (("certificate", "ssl", "tls"), "The line is fine; its certificate is not trusted here."),
        (("no route", "unreachable"), "There is no way there from here."),
    ):
        if any(word in complained for word in words):
            return [meaning]
    return []
