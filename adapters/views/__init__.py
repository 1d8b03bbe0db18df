"""What people see: words in both languages, the terminal, pages and pictures."""
