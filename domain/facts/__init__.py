"""What is recorded: events and commands, which fact counts, streams, and refused attempts."""
