"""Which route a request leads to."""
