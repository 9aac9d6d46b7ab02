"""The process roles, and what each puts together."""
