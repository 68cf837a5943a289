"""`jobsctl import kubernetes`."""

from __future__ import annotations

import click

from cli.exits import Exit
from cli.importing.options import Choices, shared_options
from cli.options import Settings


@click.command("kubernetes")
@click.argument("files", metavar="FILE|-...", nargs=-1, required=True)
@shared_options
@click.pass_obj
def command(settings: Settings, files: tuple[str, ...], choices: Choices) -> Exit:
    """Turn CronJobs and Jobs of Kubernetes into job files.

    Files may hold several documents, lists and other kinds; ConfigMaps among them give their values. Containers cannot
    be run yet: each job is written with its program, suspended, and says which image it ran in. Helm charts and
    kustomizations are rendered first.

    \b
    Examples:
      kubectl get cronjobs -A -o yaml | jobsctl import kubernetes - --check
      helm template CHART | jobsctl import kubernetes - --write jobs/
      jobsctl import kubernetes k8s/*.yaml --check
    """
    from cli.importing.delivering import deliver, read_sources, reading_sources
    from cli.importing.kubernetes.reader import read_kubernetes

    with reading_sources(files):
        made = read_kubernetes(read_sources(files), zone=choices.timezone)
    return deliver(settings, choices, made)
