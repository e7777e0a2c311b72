"""The log names the kind of what keeps the database from being reached, and no secret."""

import errno
import os
import socket
import ssl

import pytest

from adapters.sql.kernel.errors.driver_errors import (
    ConnectionLost,
    NoResponse,
    cannot_connect,
    translated,
)
from application.kernel.errors import StorageUnavailable

SECRET = "hunter2.shop.test"


def certificate_error(code: int) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, SECRET)
    error.verify_code = code
    return error


def tls_error() -> ssl.SSLError:
    error = ssl.SSLError(1, SECRET)
    error.reason = "WRONG_VERSION_NUMBER"
    return error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, SECRET), "refused"),
        (ConnectionResetError(errno.ECONNRESET, SECRET), "broke"),
        (BrokenPipeError(errno.EPIPE, SECRET), "broke"),
        (TimeoutError(errno.ETIMEDOUT, SECRET), "ETIMEDOUT"),
        (OSError(errno.EHOSTUNREACH, SECRET), "no route"),
        (FileNotFoundError(errno.ENOENT, SECRET, SECRET), "a socket, key or certificate"),
        (PermissionError(errno.EACCES, SECRET, SECRET), "may not be opened"),
        (OSError(errno.EMFILE, SECRET), "no file descriptor is left"),
        (OSError(errno.ENOSPC, SECRET), "disk is full"),
        (OSError(errno.EIO, SECRET), "a disk failed"),
        (socket.gaierror(socket.EAI_NONAME, SECRET), "name of the database's host"),
        (certificate_error(10), "it has expired"),
        (certificate_error(62), "it is for another host"),
        (certificate_error(77), "error 77"),
        (tls_error(), "WRONG_VERSION_NUMBER"),
        (OSError(SECRET), "the database cannot be reached"),
        (OSError(errno.EPROTO, SECRET), "cannot be reached (EPROTO)"),
    ],
)
def test_the_kind_is_named(error: OSError, words: str) -> None:
    meaning = translated(error)

    assert isinstance(meaning, ConnectionLost)
    assert words in str(meaning)
    assert SECRET not in str(meaning)


def test_no_error_of_the_system_but_a_broken_connection_passes_for_one() -> None:
    broken = {errno.EPIPE, errno.ESHUTDOWN, errno.ECONNRESET, errno.ECONNABORTED}
    for number in errno.errorcode:
        error = OSError(number, os.strerror(number))
        assert ("broke" in str(translated(error))) is (number in broken), error


def test_a_timeout_is_not_a_broken_connection() -> None:
    assert isinstance(translated(TimeoutError()), NoResponse)


@pytest.mark.parametrize(
    "error",
    [
        KeyError(f"getpwuid(): uid not found: {SECRET}"),
        ValueError(SECRET),
        FileNotFoundError(errno.ENOENT, SECRET, SECRET),
        OverflowError(SECRET),
        ZeroDivisionError(SECRET),
    ],
)
def test_any_error_of_a_new_connection_makes_the_storage_unavailable(error: Exception) -> None:
    meaning = cannot_connect(error)

    assert type(meaning) is StorageUnavailable
    assert SECRET not in str(meaning)
