"""How networks are trained, whatever they learn."""
