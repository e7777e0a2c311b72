"""What use cases build on: ports, errors, retries, idempotency. Kept: a team does not edit it."""
