"""The configuration: its keys, their defaults, and command lines that take them."""
