"""ACLs: kept and told; nobody is refused by one here."""

from __future__ import annotations

import json
from typing import Any

from stratolite.kernel import Call, operation

from . import buckets, notifications, objects
from .errors import invalid_argument, refused

_GROUPS = "http://acs.amazonaws.com/groups/"
ALL_USERS, AUTHENTICATED, LOG_DELIVERY = (
    f"{_GROUPS}global/AllUsers",
    f"{_GROUPS}global/AuthenticatedUsers",
    f"{_GROUPS}s3/LogDelivery",
)

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#canned-acl
CANNED: dict[str, tuple[tuple[str, str], ...]] = {
    "private": (),
    "public-read": ((ALL_USERS, "READ"),),
    "public-read-write": ((ALL_USERS, "READ"), (ALL_USERS, "WRITE")),
    "authenticated-read": ((AUTHENTICATED, "READ"),),
    "aws-exec-read": (),
    "bucket-owner-read": (),
    "bucket-owner-full-control": (),
    "log-delivery-write": ((LOG_DELIVERY, "WRITE"), (LOG_DELIVERY, "READ_ACP")),
}
PERMISSIONS = ("FULL_CONTROL", "READ", "READ_ACP", "WRITE", "WRITE_ACP")


def canned(acl: str | None) -> str:
    """Raises InvalidArgument for one AWS does not have."""
    if acl is not None and acl not in CANNED:
        raise invalid_argument("", "x-amz-acl", acl)
    return acl or ""


def _granted(account: str, acl: str) -> dict[str, Any]:
    """What is kept, as the API tells it: a canned name, or a policy in JSON."""
    own = buckets.owner(account)
    if acl.startswith("{"):
        policy: dict[str, Any] = json.loads(acl)
        return policy
    grants: list[dict[str, Any]] = [{"Grantee": {**own, "Type": "CanonicalUser"}, "Permission": "FULL_CONTROL"}]
    for uri, permission in CANNED[acl or "private"]:
        grants.append({"Grantee": {"URI": uri, "Type": "Group"}, "Permission": permission})
    return {"Owner": own, "Grants": grants}


_SPELLED = {"uri": "URI", "id": "ID", "emailaddress": "EmailAddress"}
_TYPES = {"URI": "Group", "ID": "CanonicalUser", "EmailAddress": "AmazonCustomerByEmail"}


def _from_headers(account: str, headers: dict[str, str | None]) -> str | None:
    """The grants of x-amz-grant-* headers: `id="...", uri="..."`."""
    grants = []
    for permission, text in headers.items():
        for one in (text or "").split(",") if text else ():
            kind, _, value = one.strip().partition("=")
            member = _SPELLED.get(kind.lower())
            if member is None:
                header = f"x-amz-grant-{permission.lower().replace('_', '-')}"
                raise invalid_argument("Argument format not recognized", header, text)
            grantee = {member: value.strip('"'), "Type": _TYPES[member]}
            _check_grantee(account, grantee)
            grants.append({"Grantee": grantee, "Permission": permission})
    return json.dumps({"Owner": buckets.owner(account), "Grants": grants}) if grants else None


def _check_grantee(account: str, grantee: dict[str, Any]) -> None:
    uri, user = grantee.get("URI"), grantee.get("ID")
    if uri is not None and uri not in (ALL_USERS, AUTHENTICATED, LOG_DELIVERY):
        raise invalid_argument("Invalid group uri", "uri", uri)
    if user is not None and not (len(user) == 64 and all(c in "0123456789abcdef" for c in user)):
        raise invalid_argument("Invalid id", "id", user)


def _asked(account: str, acl: str | None, policy: dict[str, Any] | None, headers: dict[str, str | None]) -> str:
    """The one way of three in which a request gives an ACL."""
    by_header = _from_headers(account, headers)
    if acl is not None and by_header is not None:
        raise refused("InvalidRequest", "Specifying both Canned ACLs and Header Grants is not allowed")
    if acl is not None:
        return canned(acl)
    if by_header is not None:
        return by_header
    if not policy:
        raise refused("MissingSecurityHeader", MissingHeaderName="x-amz-acl")
    if not (policy.get("Owner") or {}).get("ID"):
        raise refused("MalformedACLError")
    for grant in policy.get("Grants") or ():
        if grant.get("Permission") not in PERMISSIONS or not (grant.get("Grantee") or {}).get("Type"):
            raise refused("MalformedACLError")
        _check_grantee(account, grant["Grantee"])
    return json.dumps({"Owner": policy["Owner"], "Grants": policy.get("Grants") or []})


@operation
def put_bucket_acl(
    call: Call,
    bucket: str,
    acl: str | None = None,
    access_control_policy: dict[str, Any] | None = None,
    grant_full_control: str | None = None,
    grant_read: str | None = None,
    grant_read_acp: str | None = None,
    grant_write: str | None = None,
    grant_write_acp: str | None = None,
) -> None:
    found = buckets.find(call, bucket)
    headers = {
        "FULL_CONTROL": grant_full_control,
        "READ": grant_read,
        "READ_ACP": grant_read_acp,
        "WRITE": grant_write,
        "WRITE_ACP": grant_write_acp,
    }
    buckets.setting(call, found, "acl", _asked(found.account, acl, access_control_policy, headers))


@operation
def get_bucket_acl(call: Call, bucket: str) -> dict[str, Any]:
    found = buckets.find(call, bucket)
    return _granted(found.account, found.settings.get("acl", ""))


@operation
def put_object_acl(
    call: Call,
    bucket: str,
    key: str,
    version_id: str | None = None,
    acl: str | None = None,
    access_control_policy: dict[str, Any] | None = None,
    grant_full_control: str | None = None,
    grant_read: str | None = None,
    grant_read_acp: str | None = None,
    grant_write: str | None = None,
    grant_write_acp: str | None = None,
) -> None:
    found = buckets.find(call, bucket)
    version = objects.find(call, found, key, version_id, "PUT")
    headers = {
        "FULL_CONTROL": grant_full_control,
        "READ": grant_read,
        "READ_ACP": grant_read_acp,
        "WRITE": grant_write,
        "WRITE_ACP": grant_write_acp,
    }
    text = _asked(found.account, acl, access_control_policy, headers)
    call.tx.run("UPDATE s3_object SET acl = ? WHERE id = ?", text, version.id)
    if text != version.acl:
        notifications.tell(call, found, "ObjectAcl:Put", version)


@operation
def get_object_acl(call: Call, bucket: str, key: str, version_id: str | None = None) -> dict[str, Any]:
    found = buckets.find(call, bucket)
    return _granted(found.account, objects.find(call, found, key, version_id).acl)
