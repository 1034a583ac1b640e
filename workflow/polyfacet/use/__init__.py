"""Tools for users beyond the workflow: the ``polyfacet`` command, generated files, the structure page."""
