"""The base of every aggregate. Kernel code: a team does not edit it."""
