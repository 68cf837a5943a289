"""From a name in a request to the job or run it means, among those the caller may see.

Used by every route that names one. What a token's project does not hold is not there: 404, as if it did not exist.
"""

from __future__ import annotations

from starlette.requests import Request

from state.ids import is_id, is_prefix
from state.reads import Reader
from state.records import Run
from status.api.house import House
from status.picture.board import JobEntry, Picture
from status.server.access import project_of
from status.server.errors import Ambiguous, NotFound, Unavailable


def picture_of(house: House) -> Picture:
    """All jobs. Raises Unavailable until the database was read."""
    picture = house.refresher.picture
    if not picture.loaded:
        raise Unavailable(f"jobs cannot be told yet: {house.refresher.problem or 'the database is being read'}")
    return picture


def job_of_path(house: House, request: Request) -> JobEntry:
    """The job that the path names, by one segment or by two."""
    parameters = request.path_params
    project = parameters.get("project")
    return find_job(house, request, parameters["job"] if project is None else f"{project}/{parameters['job']}")


def find_job(house: House, request: Request, name: str) -> JobEntry:
    """By `project/name`, or by a name that only one project has; live jobs before archived ones.

    Raises:
        NotFound, Ambiguous: none such, or several.
    """
    picture, own = picture_of(house), project_of(request)
    identities = (name,) if "/" in name else picture.by_name.get(name, ())
    found = [picture.entries[identity] for identity in identities if identity in picture.entries]
    found = [entry for entry in found if own is None or entry.project == own]
    found = [entry for entry in found if entry.phase != "archived"] or found
    if not found:
        raise NotFound(f"there is no job {name[:200]}", job=name[:200])
    if len(found) > 1:
        candidates = [entry.identity for entry in found[:10]]
        raise Ambiguous(f"{len(found)} projects have a job {name}: say which", candidates=candidates)
    return found[0]


def find_run(reader: Reader, request: Request) -> Run:
    """The run that the path names, by its id or the beginning of it.

    Raises:
        state.errors.NotFound, state.errors.Ambiguous, Ambiguous, NotFound: none such, or several.
    """
    prefix, own = request.path_params["id"].lower(), project_of(request)
    if own is None:
        return reader.run(prefix)
    nothing = NotFound(f"no run {prefix[:200]}", run=prefix[:200])
    # Neither the candidates nor that there are any may tell of other projects.
    if is_id(prefix):
        found = [run for run in reader.runs_of_ids([prefix]).values() if run.project == own]
    else:
        if not is_prefix(prefix):
            raise nothing
        found = reader.runs(project=own, after=prefix, before=f"{prefix}~", limit=11, order="asc")
    if not found:
        raise nothing
    if len(found) > 1:
        raise Ambiguous(f"several runs begin with {prefix}", candidates=[run.id for run in found[:10]])
    return found[0]
