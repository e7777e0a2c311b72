"""Mutants: the kernel's guards, removed one by one. A test must fail for each.

`python -m tests.kernel.mutants --help`
"""
