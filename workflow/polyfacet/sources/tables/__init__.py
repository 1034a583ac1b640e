"""Tables of compositions, process conditions and measured properties, as a source of materials."""
