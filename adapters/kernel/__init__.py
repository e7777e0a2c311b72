"""The clock and the ids of the machine. Kept: a team does not edit it."""
