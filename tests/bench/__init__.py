"""Benchmarks: what this machine's floor is, what we need, what the goal is; `python -m tests.bench`."""
