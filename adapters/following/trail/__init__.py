"""The audit trail: a projection with a store of its own, rebuilt from the facts alone."""
