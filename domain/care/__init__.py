"""What is paid: how care is assessed, settled and taken back."""
