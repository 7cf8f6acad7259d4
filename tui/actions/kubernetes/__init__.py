"""Changes of a cluster's objects."""
