"""The way out: requests of ours to servers of others."""
