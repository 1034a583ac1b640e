"""The configuration: its keys, their defaults, and command lines that accept them."""
