"""What the routes of a resource name: cursors, entity tags, idempotency keys."""
