"""The plugin under test is the plugin in use."""

import sys

# In a clone that is not installed there is no entry point; installed, it is loaded already.
if "stratolite.testing.pytest_plugin" not in sys.modules:
    pytest_plugins = ["stratolite.testing.pytest_plugin"]
