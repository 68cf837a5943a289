"""The static files of the page: style and modules, read once, served under an address that holds their content's hash.

Used by `status.page.routes` and, for addresses, by `status.page.templates`. One hash over all files, so that modules
find each other by relative names; a change of any changes every address, and so browsers may keep them for ever.
"""

from __future__ import annotations

import functools
import gzip
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from status.server.answers import takes_gzip

FOLDER = Path(__file__).parent / "static"
TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Asset:
    """One file, as it is and compressed."""

    plain: bytes
    packed: bytes
    type: str


class Assets:
    """All static files of a folder."""

    def __init__(self, folder: Path) -> None:
        self._files = {
            path.name: Asset(data := path.read_bytes(), gzip.compress(data, mtime=0), TYPES[path.suffix])
            for path in sorted(folder.iterdir())
            if path.suffix in TYPES
        }
        digest = blake2b(digest_size=6)
        for name, asset in self._files.items():
            digest.update(b"%s\0%d\0%s" % (name.encode(), len(asset.plain), asset.plain))
        self.hash = digest.hexdigest()

    def address(self, name: str) -> str:
        """Where a file is served. Raises KeyError for one that is not there: a mistake in a template."""
        if name not in self._files:
            raise KeyError(f"no static file {name}")
        return f"/static/{self.hash}/{name}"

    def answer(self, request: Request, hash: str, name: str) -> Response | None:
        """The file; None when there is none, or when the hash is of other files than these."""
        asset = self._files.get(name) if hash == self.hash else None
        if asset is None:
            return None
        headers = {"cache-control": FOR_EVER, "vary": "accept-encoding"}
        if takes_gzip(request):
            return Response(asset.packed, 200, {**headers, "content-encoding": "gzip"}, asset.type)
        return Response(asset.plain, 200, headers, asset.type)


@functools.cache
def assets() -> Assets:
    """Those of the page."""
    return Assets(FOLDER)
