"""What a row of the Services tab's views opens: a probe, certificates, a token, a failure, an inspection. Pure."""

import shlex
from collections.abc import Iterable, Iterator
from typing import Final

from tui.panes.failing import clock
from tui.panes.services_rows import WORDS, millis, state_words
from tui.panes.services_views import (
    BAR_MEANS,
    age_words,
    bar,
    certificate_verdict,
    date,
    left,
    token_verdict,
)
from tui.sources.http_snapshot import ServiceSnapshot
from tui.sources.kubernetes.proxied import PodAnswer
from tui.sources.probes.certificates import Certificate, Chain
from tui.sources.probes.facts import Failure, Phases, ProbeResult
from tui.sources.probes.stats import Stat
from tui.sources.probes.tokens import Token
from tui.units import span

_WIDE: Final = 48
_DAY_S: Final = 86_400.0


def phase_lines(phases: Phases) -> Iterator[str]:
    """Yield each phase with its time, then the whole as a bar."""
    for name, value in phases.named():
        yield f"  {name:<11} {'–' if value is None else f'{value:,.1f} ms':>12}"
    yield f"  {'total':<11} {f'{phases.total_ms:,.1f} ms':>12}"
    if told := bar(phases, _WIDE):
        yield f"  {told}"
        yield f"  {BAR_MEANS}"


def probe_page(probe: ProbeResult, now: float) -> str:
    """Return everything about a probe and its newest answer."""
    word, _ = state_words(probe)
    sent = "not sent yet" if probe.at is None else f"sent {clock(probe.at)}, {age_words(max(0.0, now - probe.at))}"
    lines = [f"state     {word}, {sent}", f"request   {probe.method} {probe.url}"]
    lines += [f"because   {probe.reason}"] if probe.reason else []
    lines += [f"answer    HTTP {probe.status_code}"] if probe.status_code is not None else []
    if probe.writes:
        lines += ["", "It could change something: opstui never sends it by itself. E sends it, after you confirm."]
    if probe.verdicts:
        lines += ["", "EXPECTED"]
        for verdict in probe.verdicts:
            lines.append(f"  {'ok' if verdict.is_met else 'NO':<3} {verdict.wanted}")
            lines += [] if verdict.is_met or not verdict.found else [f"      {verdict.found}"]
    if probe.at is not None and probe.phases.total_ms > 0:
        lines += ["", "WHERE THE TIME WENT, on a new connection", *phase_lines(probe.phases)]
    return "\n".join([*lines, *_answer(probe.headers, probe.body)])


def _answer(headers: Iterable[tuple[str, str]], body: str) -> Iterator[str]:
    if given := list(headers):
        yield from ("", "HEADERS OF THE ANSWER", *(f"  {name}: {value}" for name, value in given))
    if body:
        yield from ("", "BODY", body)


def failure_page(failure: Failure) -> str:
    """Return an answer that was kept because it was not well."""
    until = f" to {clock(failure.last_at)}, {failure.count} times" if failure.count > 1 else ""
    code = "no answer" if failure.status_code is None else f"HTTP {failure.status_code}"
    lines = [
        f"when      {date(failure.at)[:10]} {clock(failure.at)}{until}",
        f"answer    {code} after {millis(failure.latency_ms)}",
        f"because   {failure.reason}",
    ]
    return "\n".join([*lines, *_answer(failure.headers, failure.body)])


def chain_lines(chain: Chain | None, failure: str, now: float) -> list[str]:
    """Return a chain of certificates, the host's own first, and why it is not trusted."""
    lines = [f"  could not be looked at: {failure}"] if failure else []
    if chain is None:
        return lines
    verdict, _ = certificate_verdict(chain, now)
    lines += [f"  {chain.host}:{chain.port}, {chain.protocol}, {chain.cipher}: {verdict.partition(';')[0]}"]
    lines += [f"  NOT TRUSTED: {problem}" for problem in chain.problems]
    for number, certificate in enumerate(chain.certificates):
        lines += ["", *_certificate(number, certificate, now)]
    return lines


def _certificate(number: int, certificate: Certificate, now: float) -> Iterator[str]:
    whose = "its own" if number == 0 else f"issuer {number}"
    yield f"  {whose}: {certificate.subject}"
    yield f"    issuer       {certificate.issuer}{' (itself)' if certificate.is_self_issued else ''}"
    if certificate.names:
        yield f"    for          {', '.join(certificate.names)}"
    yield f"    valid        {date(certificate.not_before)} to {date(certificate.not_after)} UTC"
    yield f"    left         {left(certificate.days(now) * _DAY_S)}"
    signed = f", signed with {certificate.signed_with}" if certificate.signed_with else ""
    yield f"    key          {certificate.key}{signed}"
    yield f"    serial       {certificate.serial}"
    yield f"    SHA-256      {certificate.fingerprint}"


def certificate_page(snapshot: ServiceSnapshot, now: float) -> str:
    """Return a service's chain of certificates, and how to see it by hand."""
    lines = ["CERTIFICATES", *chain_lines(snapshot.chain, snapshot.chain_failure, now)]
    if (chain := snapshot.chain) is not None:
        lines += ["", f"  seen {clock(chain.at)}", "", "BY HAND", f"  {openssl(chain)}"]
    return "\n".join(lines)


def openssl(chain: Chain) -> str:
    """Return the command that shows what a host serves."""
    place, host = shlex.quote(f"{chain.host}:{chain.port}"), shlex.quote(chain.host)
    return f"openssl s_client -connect {place} -servername {host} -showcerts </dev/null"


def token_page(token: Token, now: float) -> str:
    """Return what a token says about itself; the token itself stands nowhere."""
    verdict, _ = token_verdict(token, now)
    lines = [
        f"verdict     {verdict}",
        f"from        {token.origin}, {token.characters} characters; not verified, only read",
    ]
    lines += [f"problem     {token.problem}"] if token.problem else []
    for name, at in (("issued", token.issued_at), ("not before", token.not_before), ("expires", token.expires_at)):
        if at is not None:
            lines.append(f"{name:<11} {date(at)} UTC, {_relative(at - now)}")
    if token.header:
        lines += ["", "HEADER", *(f"  {name}: {value}" for name, value in token.header)]
    if token.claims:
        lines += ["", "CLAIMS", *(f"  {name}: {value}" for name, value in token.claims)]
    return "\n".join(lines)


def _relative(seconds: float) -> str:
    return f"in {left(seconds)}" if seconds >= 0 else f"{left(-seconds)} ago"


def inspection_page(
    health: ProbeResult, chain: Chain | None, snapshot: ServiceSnapshot | None, pods: list[PodAnswer] | str, now: float
) -> str:
    """Return a service looked at once in full: outside, from inside, where its time goes, its certificates.

    Args:
        health: the health URL, asked on a new connection.
        chain: its certificates; None without TLS.
        snapshot: the newest reading.
        pods: what its pods answered the API server, or why they were not asked.
        now: Unix time.
    """
    code = "no answer" if health.status_code is None else f"HTTP {health.status_code}"
    word, _ = state_words(health)
    outside = f"  outside   {code} in {millis(health.phases.total_ms)}  {health.url}"
    lines = [f"state     {word}{f': {health.reason}' if health.reason else ''}", "", "OUTSIDE AND INSIDE", outside]
    if isinstance(pods, str):
        lines.append(f"  inside    {pods}")
    else:
        lines += [_pod_line(pod) for pod in pods]
        lines += [f"  {told}"] if (told := _compared(health, pods)) else []
    lines += ["", "WHERE THE TIME WENT, on a new connection", *phase_lines(health.phases)]
    if snapshot is not None:
        lines += ["", "LATELY", *_lately(snapshot, now)]
    if chain is not None:
        lines += ["", "CERTIFICATES", *chain_lines(chain, "", now)]
    return "\n".join(lines)


def _pod_line(pod: PodAnswer) -> str:
    code = f"HTTP {pod.status_code}" if pod.status_code is not None else "no answer"
    why = f"  {pod.reason}" if pod.reason else ""
    return f"  {pod.pod}   {WORDS[pod.state]}, {code} in {millis(pod.took_ms)}{why}"


def _compared(outside: ProbeResult, pods: list[PodAnswer]) -> str:
    if not pods:
        return "inside: no pod runs"
    is_well = outside.state == 0
    good = sum(pod.state == 0 for pod in pods)
    if good == len(pods) and not is_well:
        return (
            "every pod is well and the outside is not: look at what lies between (Service, Ingress, DNS, certificate)"
        )
    if good == 0 and is_well:
        return "the outside is well and no pod is: is it answered by something else?"
    return "" if good == len(pods) else f"{good} of {len(pods)} pods are well"


def _lately(snapshot: ServiceSnapshot, now: float) -> Iterator[str]:
    yield f"  latency    {millis(snapshot.latency_ms)}, p50 {millis(snapshot.p50_ms)}, p95 {millis(snapshot.p95_ms)}"
    if snapshot.error_percent is not None:
        yield f"  errors     {snapshot.error_percent:.1f} % of the last 300 at most"
    if snapshot.up_percent is not None and snapshot.watched_since is not None:
        since = clock(snapshot.watched_since)
        yield f"  up         {snapshot.up_percent:.2f} % since {since}, when opstui began to ask"
    if snapshot.uptime_s is not None:
        yield f"  uptime     {span(snapshot.uptime_s)}, by its own word"


def stat_page(stat: Stat, url: str) -> str:
    """Return a series, and the lines that keep it as a metric of the profile; `url` is the service's, as shown."""
    lines = [f"series    {stat.name}", f"labels    {stat.labels}" if stat.labels else ""]
    lines += [f"value     {stat.value:,.10g}" if stat.value is not None else "value     gone from the document"]
    lines += [f"about     {stat.help}" if stat.help else "", f"where     {stat.path}"]
    if not url.startswith(("env:", "file:")):
        url = "/".join(url.split("/")[:3]) + stat.path
        lines += ["", "TO KEEP IT, in the profile (m charts it until opstui ends)", "  metrics:", "    NAME:"]
        lines += [f"      {'text' if stat.is_text else 'json'}: {url}"]
        lines += [f"      {'series' if stat.is_text else 'path'}: {stat.place}"]
    return "\n".join(line for index, line in enumerate(lines) if line or index > 4)
