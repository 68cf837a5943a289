"""Check the certificates of TLS endpoints as a client would: chain, name, and how long they are still good.

Environment: TARGETS ("host:port host:port"), WARN_DAYS (default 21), CA_FILE (default: Python's own).
Every target is looked at before the job fails: one report, not one failure a day.
"""

from __future__ import annotations

import json
import os
import socket
import ssl
import sys
from datetime import UTC, datetime
from pathlib import Path


def main() -> None:
    targets = os.environ["TARGETS"].split()
    warn_days = float(os.environ.get("WARN_DAYS", "21"))
    context = ssl.create_default_context(cafile=os.environ.get("CA_FILE") or None)
    now = datetime.now(UTC)
    if not targets:
        sys.exit("TARGETS names no endpoint: set it in jobs/certificates.yaml")

    found = [look(target, context, now) for target in targets]
    bad = 0
    for entry in found:
        days = entry.get("days_left")
        if entry["error"] is None and isinstance(days, float) and days < warn_days:
            entry["error"] = f"expires in {days:.1f} days, on {entry['not_after']}; fewer than {warn_days:g}"
        if entry["error"] is None:
            print(f"ok   {entry['target']}: {days:.0f} days left, until {entry['not_after']}")
        else:
            bad += 1
            print(f"FAIL {entry['target']}: {entry['error']}")
    if path := os.environ.get("JOBSCTL_RESULT_FILE"):
        Path(f"{path}.part").write_text(json.dumps({"certificates": found, "bad": bad}))
        Path(f"{path}.part").rename(path)
    if bad:
        sys.exit(f"{bad} of {len(found)} certificates need attention")


def look(target: str, context: ssl.SSLContext, now: datetime) -> dict[str, object]:
    """One endpoint: `error` is None when a client would trust it now."""
    host, _, port = target.rpartition(":")
    entry: dict[str, object] = {"target": target, "error": None}
    try:
        with (
            socket.create_connection((host.strip("[]"), int(port)), timeout=10) as plain,
            context.wrap_socket(plain, server_hostname=host.strip("[]")) as secure,
        ):
            certificate = secure.getpeercert() or {}
    except ssl.SSLCertVerificationError as error:
        entry["error"] = error.verify_message
    except (OSError, ValueError) as error:
        entry["error"] = f"no answer: {error}"
    else:
        not_after = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificate["notAfter"])), UTC)
        entry["not_after"] = not_after.isoformat()
        entry["days_left"] = (not_after - now).total_seconds() / 86400
    return entry


if __name__ == "__main__":
    main()
