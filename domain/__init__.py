"""What the service is about, in plain Python: no framework, no database, no HTTP."""
