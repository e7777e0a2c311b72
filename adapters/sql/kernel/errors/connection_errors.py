"""Why a database cannot be reached, as a text for the log without addresses and secrets."""

import errno
import socket
import ssl

# https://docs.openssl.org/master/man1/openssl-verification-options/
_CERTIFICATE_ERRORS = {
    9: "it is not valid yet",
    10: "it has expired",
    18: "it is signed by itself",
    19: "it is signed by an unknown authority",
    20: "it is signed by an unknown authority",
    23: "it was revoked",
    62: "it is for another host",
    64: "it is for another address",
}
_OS_ERRORS = {
    errno.ECONNREFUSED: "the database cannot be reached: the connection was refused",
    errno.EHOSTUNREACH: "the database cannot be reached: there is no route to it",
    errno.ENETUNREACH: "the database cannot be reached: there is no route to it",
    errno.ETIMEDOUT: "the database cannot be reached: its host does not respond",
    errno.ENOENT: "a file that the connection needs is missing: a socket, key or certificate",
    errno.EACCES: "a file or socket that the connection needs may not be opened",
    errno.EPERM: "a file or socket that the connection needs may not be opened",
    errno.EMFILE: "no file descriptor is left for a connection: raise the limit of open files",
    errno.ENFILE: "no file descriptor is left on this machine",
    errno.EADDRNOTAVAIL: "no local port is left for a connection",
    errno.ENOBUFS: "the system has no buffer left for a connection",
    errno.ENOMEM: "the system has no memory left for a connection",
    errno.ENOSPC: "the disk is full",
    errno.EIO: "a disk failed",
}


def reason(error: OSError) -> str:
    """Return the kind of the error as a text."""
    match error:
        case ssl.SSLCertVerificationError():
            why = _CERTIFICATE_ERRORS.get(error.verify_code, f"error {error.verify_code}")
            return f"the certificate of the database's server is not accepted: {why}"
        case ssl.SSLError():
            return f"TLS with the database's server failed ({error.reason})"
        case socket.gaierror():
            return "the name of the database's host is not known"
        case BrokenPipeError() | ConnectionResetError() | ConnectionAbortedError():
            return "the connection to the database broke"
        case _ if error.errno in _OS_ERRORS:
            return f"{_OS_ERRORS[error.errno]} ({errno.errorcode[error.errno]})"
        case _:
            name = errno.errorcode.get(error.errno or 0)
            return "the database cannot be reached" + (f" ({name})" if name else "")
