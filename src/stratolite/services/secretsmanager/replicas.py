"""Replicas: a secret that can be read in other regions.

A replica is a row that names a region; reading there reads the primary. So a replica is never behind.
"""

from __future__ import annotations

from typing import Any

from stratolite.kernel import Call, operation

from . import names
from .errors import InvalidParameterException, InvalidRequestException
from .names import Secret


@operation
def replicate_secret_to_regions(
    call: Call,
    secret_id: str,
    add_replica_regions: list[dict[str, str]],
    force_overwrite_replica_secret: bool = False,
) -> dict[str, Any]:
    secret = names.get_primary(call, secret_id)
    add(call, secret, add_replica_regions, force_overwrite_replica_secret)
    return {"ARN": secret.arn, "ReplicationStatus": status(call, secret)}


@operation
def remove_regions_from_replication(call: Call, secret_id: str, remove_replica_regions: list[str]) -> dict[str, Any]:
    secret = names.get_primary(call, secret_id)
    for region in remove_replica_regions:
        call.tx.run("DELETE FROM secretsmanager_replica WHERE secret = ? AND region = ?", secret.key, region)
    return {"ARN": secret.arn, "ReplicationStatus": status(call, secret)}


def add(call: Call, secret: Secret, wanted: list[dict[str, str]], overwrite: bool) -> None:
    for replica in wanted:
        region = replica["Region"]
        if region == secret.row["region"]:
            raise InvalidParameterException("Invalid replica region.")
        taken = call.tx.value(
            "SELECT key FROM secretsmanager_secret WHERE account = ? AND region = ? AND name = ?",
            secret.row["account"],
            region,
            secret.name,
        )
        if taken is not None:
            if not overwrite:
                raise InvalidRequestException(
                    f"Replication failed: Secret name {secret.name} already exists in region {region}."
                )
            call.tx.run("DELETE FROM secretsmanager_stage WHERE secret = ?", taken)
            call.tx.run("DELETE FROM secretsmanager_version WHERE secret = ?", taken)
            call.tx.run("DELETE FROM secretsmanager_secret WHERE key = ?", taken)
        call.tx.run(
            """INSERT INTO secretsmanager_replica (secret, region, kms_key) VALUES (?, ?, ?)
               ON CONFLICT (secret, region) DO UPDATE SET kms_key = excluded.kms_key""",
            secret.key,
            region,
            replica.get("KmsKeyId"),
        )


def regions(call: Call, secret: Secret) -> list[str]:
    rows = call.tx.all("SELECT region FROM secretsmanager_replica WHERE secret = ? ORDER BY region", secret.key)
    return [row["region"] for row in rows]


def status(call: Call, secret: Secret) -> list[dict[str, Any]]:
    rows = call.tx.all("SELECT * FROM secretsmanager_replica WHERE secret = ? ORDER BY region", secret.key)
    return [
        {
            "Region": row["region"],
            "KmsKeyId": row["kms_key"] or "alias/aws/secretsmanager",
            "Status": "InSync",
            "StatusMessage": "Replication succeeded",
        }
        for row in rows
    ]
