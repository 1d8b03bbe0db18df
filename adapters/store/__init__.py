"""Facts in a file or a database: kept by `eventsourcing`, read in turns, never changed."""
