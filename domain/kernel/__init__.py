"""What every aggregate builds on. Kept: a team does not edit it."""
