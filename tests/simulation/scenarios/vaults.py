"""Secrets and parameters that change while the cloud dies."""

from __future__ import annotations

import random
import uuid

from simulation.parts import client, insist
from stratolite.testing.checkers import in_order, nothing_lost, quiet
from stratolite.testing.cloud import TestCloud


def changing(cloud: TestCloud) -> None:
    """What was put last is what is read; what was put before it is the previous version, and history has no gaps."""
    chance = random.Random(cloud.world.seed)
    secrets, ssm = client(cloud, "secretsmanager"), client(cloud, "ssm")

    def token() -> str:
        return str(uuid.UUID(int=chance.getrandbits(128), version=4))

    insist(secrets.create_secret, Name="s", SecretString="v0", ClientRequestToken=token())
    insist(ssm.put_parameter, Name="/p", Value="v0", Type=chance.choice(["String", "SecureString"]), Overwrite=True)
    count = 25
    for n in range(1, count):
        insist(secrets.put_secret_value, SecretId="s", SecretString=f"v{n}", ClientRequestToken=token())
        insist(ssm.put_parameter, Name="/p", Value=f"v{n}", Overwrite=True)
        assert insist(secrets.get_secret_value, SecretId="s")["SecretString"] == f"v{n}"
        previous = insist(secrets.get_secret_value, SecretId="s", VersionStage="AWSPREVIOUS")["SecretString"]
        assert previous == f"v{n - 1}"
        assert insist(ssm.get_parameter, Name="/p", WithDecryption=True)["Parameter"]["Value"] == f"v{n}"
        cloud.clock.advance(chance.random() * 100)
    history = insist(ssm.get_parameter_history, Name="/p", WithDecryption=True, MaxResults=50)["Parameters"]
    values = [one["Value"] for one in history]
    nothing_lost([f"v{n}" for n in range(count)], values)
    in_order(values, [f"v{n}" for n in range(count)])
    assert [one["Version"] for one in history] == list(range(1, len(history) + 1))
    insist(secrets.delete_secret, SecretId="s", RecoveryWindowInDays=7)
    cloud.clock.advance(days=8)
    assert insist(secrets.list_secrets, IncludePlannedDeletion=True)["SecretList"] == []
    store = cloud.cloud.store.reader()
    assert store.value("SELECT count(*) FROM secretsmanager_version") == 0
    quiet(cloud)
