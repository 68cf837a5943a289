"""A certificate authority for one test session, made by openssl: nobody else trusts it."""

from __future__ import annotations

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.components import program


@dataclass(frozen=True)
class Authority:
    """A folder with the authority's certificate and key."""

    folder: Path

    @property
    def certificate(self) -> Path:
        return self.folder / "ca.pem"

    def trust(self) -> ssl.SSLContext:
        """What verifies by it alone."""
        return ssl.create_default_context(cafile=str(self.certificate))

    def serve(self, *names: str, days: int = 2) -> ssl.SSLContext:
        """For a server of these names (`DNS:...`, `IP:...`)."""
        place = self.folder / names[0].replace(":", "_")
        key, request, made = place.with_suffix(".key"), place.with_suffix(".csr"), place.with_suffix(".crt")
        said = place.with_suffix(".ext")
        said.write_text(f"subjectAltName={','.join(names)}\n")
        _openssl("req", "-new", *_KEY, "-keyout", key, "-out", request, "-subj", "/CN=receiver")
        _openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.folder / "ca.key",
                 "-CAcreateserial", "-days", str(days), "-extfile", said, "-out", made)  # fmt: skip
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(made, key)
        return context


_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


def make_authority(folder: Path) -> Authority:
    """A new one."""
    _openssl("req", "-x509", *_KEY, "-keyout", folder / "ca.key", "-out", folder / "ca.pem", "-days", "2",
             "-subj", "/CN=throwaway", "-addext", "basicConstraints=critical,CA:TRUE",
             "-addext", "keyUsage=critical,keyCertSign")  # fmt: skip
    return Authority(folder)


def _openssl(*arguments: str | Path) -> None:
    subprocess.run([program("openssl"), *map(str, arguments)], check=True, capture_output=True)
