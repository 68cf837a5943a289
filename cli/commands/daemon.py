"""`jobsctl daemon`: run the daemon in the foreground."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

import click

from cli.options import Settings

if TYPE_CHECKING:
    from reconciler.claim import Claim
    from specs.config import Config

FORMAT = "%(asctime)s %(levelname)s %(message)s"


@click.command("daemon")
@click.option("--listen", metavar="HOST:PORT", help="Where to serve HTTP; `none`: nowhere. Default: jobsctl.yaml's.")
@click.option("-v", "--verbose", is_flag=True, help="Log every run, not only what changed or went wrong.")
@click.pass_obj
def command(settings: Settings, listen: str | None, verbose: bool) -> None:
    """Keep what runs equal to what the files say. Stays in the foreground; logs to stderr.

    Stops on SIGTERM or Ctrl-C; what runs goes on, and the next daemon finds it. SIGHUP looks at the files at once.

    \b
    Examples:
      jobsctl daemon
      jobsctl daemon --listen 127.0.0.1:9000 -v
      jobsctl daemon --listen none
    """
    from cli.errors import Refused, UsageError
    from reconciler.claim import claimed
    from reconciler.lock import AlreadyRunning, StateGone
    from specs.config import is_address, load_config

    logging.basicConfig(stream=sys.stderr, level=logging.DEBUG if verbose else logging.INFO, format=FORMAT)
    # It reports every write anywhere beside the specs: the log's own lines would make the next ones.
    logging.getLogger("watchfiles").setLevel(logging.WARNING)
    home = settings.existing_home()
    config = load_config(home.root)
    if listen not in (None, "none") and not is_address(listen):
        raise UsageError(f"--listen {listen}: write it as HOST:PORT, as 127.0.0.1:8787 or [::1]:8787, or `none`")
    address = listen or (config.http.listen if config.http is not None else None)
    if address == "none":
        address = None
    if address is not None:
        _refuse_open_doors(address, config)
    try:
        with claimed(home) as claim:
            _run(claim, config, address)
    except (AlreadyRunning, StateGone) as refusal:
        raise Refused(str(refusal)) from None


def _run(claim: Claim, config: Config, address: str | None) -> None:
    import jobsctl
    from reconciler.daemon import notify_command, run_daemon, status_command

    readers = status_command(claim.home, address, config)
    notify = notify_command(claim.home, config.timezone)
    run_daemon(claim, config, version=jobsctl.__version__, readers=readers, notify=notify)


def _refuse_open_doors(address: str, config: Config) -> None:
    """Raise Refused when everybody who reaches the address could read all jobs."""
    from cli.errors import Refused
    from specs.config import is_loopback

    if is_loopback(address) or (config.http is not None and (config.http.tokens is not None or config.http.insecure)):
        return
    raise Refused(
        f"others reach {address}, and would read every job's specs, runs and output without a token",
        hint="set `http.tokens: tokens` in jobsctl.yaml and make one with `jobsctl token create NAME`; "
        "or say `http.insecure: true` when something in front asks who it is",
    )
