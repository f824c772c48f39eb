"""The use cases, each inside one transaction that is given to it."""
