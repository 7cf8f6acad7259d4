"""How lines begin that tell of an error, and of what belongs to one: traces, crashes, what PostgreSQL adds. Pure."""

import re
from typing import Final

TRACE_HEAD: Final = re.compile(
    r"Traceback \(most recent call last\)|Caused by: |goroutine \d+ \[|panic: |During handling of the above|"
    r"The above exception was|Stack trace:|Suppressed: "
)
_CRASH: Final = re.compile(
    r"Exception in thread |thread '[^']*'(?: \(\d+\))? panicked at|Unhandled [Ee]xception|Segmentation fault"
    r"|(?:Uncaught |Unhandled )?(?:[A-Za-z_$][\w$]*\.)*[A-Z][\w$]*(?:Error|Exception)(?: \[\w+\])?(?:: |$)"
)
"""How a program that dies says so, without any word for a level."""
EXCEPTION: Final = re.compile(
    r"(?:[A-Za-z_$][\w$]*\.)*[A-Z][\w$]*(?:Error|Exception|Throwable|Interrupt|Exit|Warning)?\b(?::|$)"
)
OF_STATEMENT: Final = re.compile(r" (?:DETAIL|HINT|CONTEXT|QUERY|STATEMENT|LOCATION):  ")
"""How PostgreSQL goes on about an error or a warning."""
GO_FRAME: Final = re.compile(
    r"(?:created by )?[\w./-]+\.[\w.()*-]+(?:\(.*\)| in goroutine \d+)$|goroutine \d+ |exit status "
)


def is_crash(line: str) -> bool:
    """Tell whether a line without a level is how a program says that it dies."""
    # Hardly any line holds one of these, and to look for them costs a tenth of the expression.
    if "rror" in line or "xception" in line or "panicked" in line or "fault" in line:
        return _CRASH.match(line) is not None
    return False
