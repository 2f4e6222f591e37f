"""Simulation: workloads in a world whose sick places a seed chooses; `python -m tests.simulation`."""
