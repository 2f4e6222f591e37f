"""IAM: who there is and what they may do; kept and told, and nobody is denied yet."""

from stratolite.kernel import Service

from . import (
    access_keys,
    account,
    attachments,
    credentials,
    groups,
    inline,
    linked_roles,
    policies,
    profiles,
    resources,
    roles,
    tags,
    users,
)

service = Service(
    "iam",
    modules=[
        roles, users, groups, profiles, policies, inline, attachments, tags, access_keys, credentials, linked_roles,
        account, resources,
    ],
)  # fmt: skip
