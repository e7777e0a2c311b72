"""A domain for the tests of the kernel: products, and what suppliers deliver."""
