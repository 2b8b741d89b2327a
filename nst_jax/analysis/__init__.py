"""What can be said about results and conventions: metrics, translation, what weights mean at another size."""
