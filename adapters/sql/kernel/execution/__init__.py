"""From a statement to rows: compiled once, executed on a connection of the queue."""
