"""How the outside drives the service: settings, container, command line, HTTP."""
