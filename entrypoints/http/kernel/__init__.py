"""What every route builds on. Kept: a team does not edit it."""
