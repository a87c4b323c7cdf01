"""What runs for long: the unattended service with its store, and the console."""
