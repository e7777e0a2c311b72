"""The command line, the server, logging, API keys. Kept: a team does not edit it."""
