"""What is fetched from elsewhere: entry files, and encoders of the Hugging Face hub."""
