"""The rules: pure functions and plain values. No clock, network, database or randomness."""
