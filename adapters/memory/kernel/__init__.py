"""How values in memory behave as a database does. Kept: a team does not edit it."""
