"""KMS: keys that never leave, and what they lock."""

from stratolite.kernel import Service

from . import (
    aliases,
    asymmetric,
    encryption,
    grants,
    imports,
    keys,
    macs,
    policies,
    resources,
    rotation,
    tags,
)

service = Service(
    "kms",
    modules=[keys, aliases, policies, tags, grants, encryption, asymmetric, macs, rotation, imports, resources],
)
