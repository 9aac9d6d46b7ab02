"""How the platform's services and this service itself perform."""
