"""Variables: the environment a function sees: AWS's, the user's, nothing of the host's.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .environment import Environment
    from .inline import InlineEnvironment

LIBRARIES = "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib"
PROGRAMS = "/usr/local/bin:/usr/bin/:/bin:/opt/bin"
XRAY_DAEMON = ("127.0.0.1", "2000")


def variables(environment: Environment | InlineEnvironment, runtime_api: str) -> dict[str, str]:
    function, fleet = environment.function, environment.fleet
    programs = environment.bootstrap.programs
    found = {
        "PATH": f"{programs}:{PROGRAMS}" if programs else PROGRAMS,
        "LD_LIBRARY_PATH": LIBRARIES,
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "SHLVL": "0",
        "AWS_REGION": function.region,
        "AWS_DEFAULT_REGION": function.region,
        # Overridden by a user who wants to talk to another endpoint, as is every line above.
        "AWS_ENDPOINT_URL": fleet.endpoint_url,
        **function.environment,
        "_HANDLER": function.handler,
        "AWS_ACCESS_KEY_ID": environment.access_key,
        "AWS_SECRET_ACCESS_KEY": fleet.secret(environment.access_key),
        "AWS_SESSION_TOKEN": fleet.secret(environment.access_key + "session"),
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": function.version,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
        "AWS_LAMBDA_LOG_GROUP_NAME": function.log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": environment.log_stream,
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_RUNTIME_API": runtime_api,
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "AWS_XRAY_DAEMON_ADDRESS": ":".join(XRAY_DAEMON),
        "_AWS_XRAY_DAEMON_ADDRESS": XRAY_DAEMON[0],
        "_AWS_XRAY_DAEMON_PORT": XRAY_DAEMON[1],
        "LAMBDA_TASK_ROOT": os.fspath(function.code.folder),
        "LAMBDA_RUNTIME_DIR": environment.bootstrap.runtime_dir,
    }
    if not function.runtime.startswith("provided"):
        found["AWS_EXECUTION_ENV"] = f"AWS_Lambda_{function.runtime}"
    if function.log_format == "JSON":
        found["AWS_LAMBDA_LOG_FORMAT"] = function.log_format
        found["AWS_LAMBDA_LOG_LEVEL"] = function.application_log_level
    return found
