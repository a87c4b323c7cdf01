"""The unattended service: the store, and what runs upon it."""
