"""What a user would pick instead, each written plainly: a model, a call, an answer. No tricks of ours in them."""
