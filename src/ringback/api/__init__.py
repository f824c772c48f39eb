"""The JSON edge: what integration developers talk to."""
