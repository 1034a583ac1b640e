"""What a person does with a run beside the report."""
