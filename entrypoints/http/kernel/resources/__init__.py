"""Parts for the routes of a resource: pages and cursors, entity tags, idempotency keys."""
