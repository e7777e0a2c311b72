"""The use cases of example items, and the port that they need."""
