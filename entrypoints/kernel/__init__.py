"""The command line, the server, logging, API keys. Kernel code: a team does not edit it."""
