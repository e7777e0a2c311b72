"""The revisions of the project's migrations, from the oldest to the newest."""

from tests.kernel.processes.environment import ROOT

_VERSIONS = ROOT / "adapters" / "sql" / "migrations" / "versions"
# A revision is a time, with which the name of its file begins.
REVISIONS = [each.name[: len("20261124_0930")] for each in sorted(_VERSIONS.glob("*.py"))]
