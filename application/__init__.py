"""What the service does: use cases, and the ports that they need."""
