"""What the service is compared with: each is minimal, with the same columns and JSON."""
