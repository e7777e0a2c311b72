"""Values in memory, with the rules of a database. Kernel code: a team does not edit it."""
