"""What every stage and job uses: files, tables, errors, progress, digests, kept results."""
