"""What pages show, from the records of students; nothing of it knows of a request."""
