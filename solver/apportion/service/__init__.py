"""What runs for long beside people and machines: it starts the use cases, keeps them going, and shows them."""
