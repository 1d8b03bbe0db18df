"""The state machine: the table, its guards, what may be added to a stream, and the timeline."""
