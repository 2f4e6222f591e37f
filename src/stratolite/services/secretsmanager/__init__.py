"""Secrets Manager: secrets, the versions of their values, and the labels that move between them."""

from stratolite.kernel import Service

from . import listing, passwords, policies, replicas, resources, rotation, secrets, tags, values

service = Service(
    "secretsmanager",
    modules=[secrets, values, listing, tags, policies, passwords, rotation, replicas, resources],
)
