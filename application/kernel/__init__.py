"""Ports, errors, retries and idempotency for use cases. Kernel code: a team does not edit it."""
