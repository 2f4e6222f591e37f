"""Changes: what the default event bus is told when a parameter is made, changed, labelled or deleted.

https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-cwe.html
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, Literal

from stratolite.kernel import Call

from . import names

What = Literal["Create", "Update", "Delete", "LabelParameterVersion"]


def tell(call: Call, what: What, parameter: Any, version: Any) -> None:
    account, region = parameter["account"], parameter["region"]
    event = {
        "version": "0",
        "id": call.world.id(),
        "detail-type": "Parameter Store Change",
        "source": "aws.ssm",
        "account": account,
        "time": datetime.fromtimestamp(call.now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": region,
        "resources": [names.arn(parameter)],
        "detail": {
            "operation": what,
            "name": parameter["name"],
            "type": version["type"],
            "description": version["description"] or "",
        },
    }
    call.deliver(to=f"arn:aws:events:{region}:{account}:event-bus/default", payload=json.dumps(event), source="ssm")
