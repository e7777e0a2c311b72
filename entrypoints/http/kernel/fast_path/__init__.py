"""A shorter way to an endpoint of a plain shape."""
