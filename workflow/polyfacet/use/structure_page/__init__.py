"""Web page that shows the materials of a run, one at a time, with 3D view, properties and pictures."""
