"""The document, put together, and the route that serves it. Mounted by `status.api`.

With tokens it needs one, as everything but health does; one of a project will do: it says nothing of any job.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from jobsctl import __version__
from status.openapi.types import Schema, reference
from status.server.answers import json_answer
from status.server.query import Query

PATH = "/openapi.json"
ERRORS = {
    400: "A parameter that is unknown, doubled or unreadable.",
    401: "No token, or none that is known.",
    403: "A token for one project, and a request for more.",
    404: "No such route, job, run or file.",
    405: "Anything but GET and HEAD.",
    409: "A name or the beginning of an id that fits several.",
    414: "More than 4 KiB of path and query.",
    421: "A `Host` that is not ours.",
    422: "Parameters that contradict each other.",
    431: "More than 16 KiB or 100 headers.",
    500: "Something went wrong inside.",
    503: "Too many at once, or the database cannot be read: `Retry-After` says when to come again.",
}
TAGS = {
    "health": "Whether all is well.",
    "jobs": "Jobs, and their next starts.",
    "runs": "What ran, and how it ended.",
    "events": "Everything that happened, as pages and as streams.",
    "logs": "What runs wrote, as text and as streams.",
    "outputs": "Files that runs kept.",
    "metrics": "What runs used, as series.",
    "source": "The specs.",
    "deliveries": "What was told to whom.",
    "records": "For `jobsctl --server` of the same version; not for programs.",
}


def document() -> dict[str, Any]:
    """OpenAPI 3.1 of everything that is served for programs; pages for people are not in it."""
    from status.openapi import house, jobs, runs
    from status.openapi.operations import OPERATIONS, Operation

    def of(operation: Operation, path: str) -> dict[str, Any]:
        content = {media_type: {"schema": schema} for media_type, schema in operation.answers}
        responses: dict[str, Any] = {"200": {"description": operation.summary, "content": content}}
        if any(each["name"] == "If-None-Match" for each in operation.parameters):
            responses["304"] = {"description": "The client has it."}
        responses |= {str(code): {"$ref": f"#/components/responses/{code}"} for code in ERRORS}
        for code, meaning in operation.codes.items():
            body = {} if code == 204 else content
            if code > 400:
                own = [schema for media_type, schema in operation.answers if media_type == "application/json"]
                body = {"application/json": {"schema": {"anyOf": [*own, reference("Error")]}}}
            responses[str(code)] = {"description": meaning} | ({"content": body} if body else {})
        twice = len(operation.paths) > 1 and path == operation.paths[1]
        return {
            "operationId": f"{operation.id}_of_project" if twice else operation.id,
            "tags": [operation.tag],
            "summary": operation.summary,
            **({"description": operation.description} if operation.description else {}),
            "parameters": operation.at(path),
            "responses": responses,
            **({"security": []} if operation.open else {}),
        }

    schemas: dict[str, Schema] = {**jobs.SCHEMAS, **runs.SCHEMAS, **house.SCHEMAS}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "jobsctl",
            "version": __version__,
            "summary": "Read what a jobsctl daemon does.",
            "description": "Read-only: GET and HEAD. Shapes grow, never shrink: pass over members you do not know.",
            "license": {"name": "Apache 2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "The address it was read from."}],
        "security": [{}, {"bearer": []}, {"basic": []}],
        "tags": [{"name": name, "description": text} for name, text in TAGS.items()],
        "paths": {path: {"get": of(each, path)} for each in OPERATIONS for path in each.paths},
        "components": {
            "schemas": schemas,
            "responses": {
                str(code): {
                    "description": meaning,
                    "content": {"application/json": {"schema": reference("Error")}},
                }
                for code, meaning in ERRORS.items()
            },
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "`jobsctl token create NAME`"},
                "basic": {"type": "http", "scheme": "basic", "description": "The token as password: for browsers."},
            },
        },
    }


@cache
def _rendered() -> bytes:
    return orjson.dumps(document(), option=orjson.OPT_APPEND_NEWLINE)


class OpenApiRoutes:
    """The endpoint."""

    def routes(self) -> list[Route]:
        return [Route(PATH, self.describe)]

    async def describe(self, request: Request) -> Response:
        Query(request.scope["query_string"], known=())
        return json_answer(request, _rendered())
