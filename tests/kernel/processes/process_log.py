import os
import tempfile
import weakref


class ProcessLog:
    """What a process has written so far.

    The file has no name, so nothing stays behind, and it can be read after the process is gone.
    """

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115
        weakref.finalize(self, self._file.close)

    def fileno(self) -> int:
        return self._file.fileno()

    def text(self) -> str:
        # By position: the processes write through the same open file, and so the same offset.
        size = os.fstat(self.fileno()).st_size
        return os.pread(self.fileno(), size, 0).decode(errors="replace")

    def tail(self, lines: int = 40) -> str:
        return "\n".join(self.text().splitlines()[-lines:])
