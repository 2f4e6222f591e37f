"""The account: its alias, and how much there is in it."""

from __future__ import annotations

from typing import Any

from stratolite.kernel import Call, operation

from .errors import NoSuchEntityException

_COUNTED = {"role": "Roles", "user": "Users", "group": "Groups", "instance-profile": "InstanceProfiles"}
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
_QUOTAS = {
    "AccessKeysPerUserQuota": 2,
    "AttachedPoliciesPerGroupQuota": 10,
    "AttachedPoliciesPerRoleQuota": 10,
    "AttachedPoliciesPerUserQuota": 10,
    "GroupsQuota": 300,
    "InstanceProfilesQuota": 1000,
    "PoliciesQuota": 1500,
    "RolesQuota": 1000,
    "UsersQuota": 5000,
    "VersionsPerPolicyQuota": 5,
}


@operation
def create_account_alias(call: Call, account_alias: str) -> None:
    call.tx.run("INSERT OR REPLACE INTO iam_account_alias (account, alias) VALUES (?, ?)", call.account, account_alias)


@operation
def list_account_aliases(call: Call) -> dict[str, Any]:
    alias = call.tx.value("SELECT alias FROM iam_account_alias WHERE account = ?", call.account)
    return {"AccountAliases": [alias] if alias else [], "IsTruncated": False}


@operation
def delete_account_alias(call: Call, account_alias: str) -> None:
    gone = call.tx.run("DELETE FROM iam_account_alias WHERE account = ? AND alias = ?", call.account, account_alias)
    if not gone.rowcount:
        raise NoSuchEntityException(f"The account alias {account_alias} cannot be found.")


@operation
def get_account_summary(call: Call) -> dict[str, Any]:
    rows = call.tx.all("SELECT kind, count(*) AS n FROM iam_entity WHERE account = ? GROUP BY kind", call.account)
    counts = dict.fromkeys(_COUNTED.values(), 0) | {_COUNTED[row["kind"]]: row["n"] for row in rows}
    counts["Policies"] = call.tx.value("SELECT count(*) FROM iam_policy WHERE account = ?", call.account)
    return {"SummaryMap": counts | _QUOTAS}
