"""Content negotiation: the `Accept` header (RFC 9110, section 12.5.1)."""

from collections.abc import Iterable

# Nearly all clients of an API send one of these.
_PLAIN = frozenset((b"*/*", b"application/json"))
# The most specific range that matches has precedence.
_RANGES = ("application/json", "application/*", "*/*")


def accepts_json(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Return whether the client accepts JSON. Without `Accept` it does."""
    fields = [value for name, value in headers if name == b"accept"]
    if not fields or (len(fields) == 1 and fields[0] in _PLAIN):
        return True
    weights: dict[str, float] = {}
    for element in b",".join(fields).decode("latin-1").split(","):
        media_range, *parameters = (part.strip().lower() for part in element.split(";"))
        if media_range:
            weights[media_range] = max(weights.get(media_range, 0.0), _weight(parameters))
    # An empty field accepts everything.
    return not weights or next((weights[each] for each in _RANGES if each in weights), 0.0) > 0


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0
