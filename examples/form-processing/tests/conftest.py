"""What every test needs: the functions on the path, their environment, and nothing of the outside."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "src"))

os.environ |= {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "POWERTOOLS_SERVICE_NAME": "tests",
    "POWERTOOLS_METRICS_NAMESPACE": "Forms",
    "POWERTOOLS_TRACE_DISABLED": "true",
    "TABLE": "forms",
    "BUS": "submissions",
    "KEEP_DAYS": "90",
    "TENANT_SECRETS": "forms/tenants",
    "DESTINATION_SECRETS": "forms/destinations",
    "SECRET_KEEP_SECONDS": "60",
    "PREVIOUS_SECRET_SECONDS": "3600",
    "QUEUE_URL": "https://sqs.eu-central-1.amazonaws.com/000000000000/letters",
    "DEAD_LETTER_URL": "https://sqs.eu-central-1.amazonaws.com/000000000000/dead-letters",
    "ATTEMPT_SECONDS": "2",
    "BACK_OFF_SECONDS": "30",
    "LONGEST_BACK_OFF_SECONDS": "900",
}
