"""The system clock and the source of ids. Kernel code: a team does not edit it."""
