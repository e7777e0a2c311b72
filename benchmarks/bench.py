"""What a run works with."""

from dataclasses import dataclass
from pathlib import Path

from benchmarks.databases import Databases
from benchmarks.generator import LoadGenerator
from benchmarks.results import Results
from benchmarks.running import RunningSubject
from benchmarks.subjects import Subject
from tests.kernel.processes.guardian import Guardian


@dataclass(frozen=True)
class Bench:
    directory: Path
    guardian: Guardian
    databases: Databases
    generator: LoadGenerator
    results: Results

    def place(self, subject: Subject, name: str, port: int | None = None) -> RunningSubject:
        """Give the subject a new database; `port` is a proxy's that stands before the server."""
        url = self.databases.create(subject.database, name, port)
        log = self.directory / f"{subject.database}_{name}.log"
        return RunningSubject(subject, url, log, self.guardian)
