"""Testing: a simulated world, a cloud per test, the clock in hand; for this project's tests and for its users'."""

from .sim import SimLoop, SimWorld, Stalled

__all__ = ["DeployError", "FunctionError", "LiveCloud", "SimLoop", "SimWorld", "Stalled", "TestCloud", "simulate"]


def __getattr__(name: str) -> object:
    if name in ("TestCloud", "DeployError", "FunctionError", "simulate"):
        from . import cloud

        return getattr(cloud, name)
    if name == "LiveCloud":
        from .live import LiveCloud

        return LiveCloud
    raise AttributeError(name)
