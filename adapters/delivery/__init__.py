"""What goes out: reports to recipients, by e-mail and webhook."""
