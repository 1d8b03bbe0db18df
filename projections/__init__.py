"""Pure folds over facts, each named by the question it answers."""
