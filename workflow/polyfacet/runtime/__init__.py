"""Infrastructure of all stages and jobs: files, tables, errors, progress, digests, kept results."""
