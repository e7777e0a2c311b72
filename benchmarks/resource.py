"""The resource that is measured. Its table has the columns of every aggregate, a name and a
description; the baselines have the same ones."""

PREFIX = "/api/v1/examples/database-example"
TABLE = "example_items"
ITEM = {"name": "An item of the benchmark", "description": "It says what a short paragraph says."}
CHANGE = {"description": "It was changed by the benchmark."}
