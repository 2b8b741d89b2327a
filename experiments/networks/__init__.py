"""What trains texnet, and compares feature extractors."""
