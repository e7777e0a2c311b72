import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Self


@dataclass(frozen=True)
class ServerAccount:
    """The account that runs the database server: PostgreSQL does not run as root.

    For root it is an account that the machine already has, for any other user the user's own.
    """

    user: int | None = None
    group: int | None = None

    @classmethod
    def choose(cls) -> Self:
        if os.geteuid() != 0:
            return cls()
        # initdb asks for the account's name, so a number that no account has would not do.
        ordinary = [account for account in pwd.getpwall() if account.pw_uid != 0]
        ordinary.sort(key=lambda account: account.pw_name != "nobody")
        if not ordinary:
            message = "PostgreSQL does not run as root, and this machine has no other account"
            raise RuntimeError(message)
        return cls(user=ordinary[0].pw_uid, group=ordinary[0].pw_gid)

    def run(self, command: list[str], output: int) -> subprocess.Popen[bytes]:
        # Settings of the person's own PostgreSQL (PGPORT, PGOPTIONS, ...) are not for this one.
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "LC_"))}
        return subprocess.Popen(
            command,
            cwd="/",
            env=environment | {"LC_ALL": "C", "TZ": "UTC"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            user=self.user,
            group=self.group,
            extra_groups=None if self.user is None else [],
            # Ctrl-C is for the test run, which then ends the server in its own time.
            start_new_session=True,
        )

    def own(self, path: Path) -> None:
        """Hand over a file, or a directory with all that is in it."""
        if self.user is None or self.group is None:
            return
        for each in (path, *path.rglob("*")):
            shutil.chown(each, self.user, self.group)
