"""Tables of compositions, process conditions and measured properties, a source beside crystal structures."""
