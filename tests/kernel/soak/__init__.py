"""Load and random faults for a chosen time, and then an account.

`python -m tests.kernel.soak --help`
"""
