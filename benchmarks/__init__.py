"""What Ringback promises of its speed, measured: one file a claim, `make bench` runs them and writes RESULTS.md."""
