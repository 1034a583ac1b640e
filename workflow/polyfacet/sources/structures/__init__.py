"""Sources of crystals other than Alexandria: structure files, tables, matbench tasks, extended XYZ."""
