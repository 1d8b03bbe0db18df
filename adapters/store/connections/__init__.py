"""What every database here has: connections lent and taken back, statements, and trying again."""
