"""A domain for the tests of the kernel: products, and the movements of their stock."""
