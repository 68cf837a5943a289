"""The HTTP endpoints: what a request asks for, and what is answered. Read-only. Parameters and shapes: docs/http.md.

Made by `status.serve`, mounted by `status.server.app`. One file per resource; `answers` is how JSON is answered,
`database` how the database is asked, `finding` how a name becomes a job or a run that the caller may see.
"""

from __future__ import annotations

from status.api.endpoints import Api
from status.api.house import House

__all__ = ["Api", "House"]
