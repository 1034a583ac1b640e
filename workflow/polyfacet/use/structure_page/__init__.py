"""A page for people: the materials of a run, one at a time, with 3D view, facts and the picture taken."""
