"""Pictures of crystals: Crystal Toolkit's own viewer in a headless browser, one PNG per material."""
