"""The base of every route. Kernel code: a team does not edit it."""
