"""Certificates of the tests' own, made by the program openssl."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pytest

needs_openssl = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="no openssl to make certificates with"
)
_NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]


@dataclass(frozen=True)
class Authority:
    """Signs certificates; its own is in `certificate`."""

    certificate: Path
    key: Path

    @classmethod
    def of(cls, folder: Path, name: str) -> Self:
        """Return the one that `create` made there."""
        return cls(folder / f"{name}.crt", folder / f"{name}.key")

    @classmethod
    def create(cls, folder: Path, name: str) -> Self:
        authority = cls.of(folder, name)
        files = ["-keyout", str(authority.key), "-out", str(authority.certificate)]
        _openssl("req", "-x509", *_NEW_KEY, *files, "-subj", f"/CN={name}", "-days", "2")
        return authority

    def sign(self, certificate: Path, key: Path, address: str, *, days: int) -> None:
        """Write a certificate for an IP address, and its key. With a negative number of days it
        expired so long ago."""
        request, extensions = certificate.with_suffix(".csr"), certificate.with_suffix(".ext")
        extensions.write_text(f"subjectAltName=IP:{address}")
        files = ["-keyout", str(key), "-out", str(request)]
        _openssl("req", *_NEW_KEY, *files, "-subj", "/CN=database")
        signed_by = ["-CA", str(self.certificate), "-CAkey", str(self.key), "-CAcreateserial"]
        files = ["-in", str(request), "-extfile", str(extensions), "-out", str(certificate)]
        _openssl("x509", "-req", *signed_by, *files, "-days", str(days))


def _openssl(*arguments: str) -> None:
    done = subprocess.run(
        ["openssl", *arguments],
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(f"openssl {arguments[0]} failed\n{done.stderr}")
