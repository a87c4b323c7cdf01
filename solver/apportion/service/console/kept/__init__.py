"""The console of the service: plans and scenarios of the store, and people who sign in."""
