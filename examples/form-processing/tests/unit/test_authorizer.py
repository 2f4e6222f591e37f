"""The authorizer lets in what the tenant signed, and nothing else."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.stub import Stubber
from world import SECRET, Context, headers, request

from forms.functions import authorizer


@pytest.fixture
def manager() -> Any:
    authorizer.secrets._kept.clear()
    with Stubber(authorizer.secrets._client) as stubber:
        yield stubber


def holds(manager: Stubber, tenant: str, current: str, previous: str | None = None, rotated_s_ago: float = 60) -> None:
    """Secrets Manager holds these versions, and is asked for them once."""

    def version(stage: str, value: str) -> None:
        manager.add_response(
            "get_secret_value",
            {"SecretString": value, "CreatedDate": datetime.now(UTC) - timedelta(seconds=rotated_s_ago)},
            {"SecretId": f"forms/tenants/{tenant}", "VersionStage": stage},
        )

    version("AWSCURRENT", current)
    if rotated_s_ago >= 3600:
        return
    if previous is None:
        unknown(manager)
    else:
        version("AWSPREVIOUS", previous)


def unknown(manager: Stubber) -> None:
    manager.add_client_error("get_secret_value", "ResourceNotFoundException")


def ask(signed: dict[str, str], method: str = "POST") -> dict[str, Any]:
    event = request(method=method, signed=signed)
    del event["requestContext"]["authorizer"]
    return authorizer.handler(event, Context())


def test_a_signed_request_is_let_in_under_its_tenant(manager: Stubber) -> None:
    holds(manager, "acme", SECRET)
    assert ask(headers()) == {"isAuthorized": True, "context": {"tenant": "acme"}}


def test_the_secret_is_read_once_for_many_requests(manager: Stubber) -> None:
    holds(manager, "acme", SECRET)
    for content in (b"1", b"2", b"3"):
        assert ask(headers(content=content))["isAuthorized"]
    manager.assert_no_pending_responses()


@pytest.mark.parametrize("age_s", [301, 86_400, -301])
def test_a_stale_or_early_request_is_denied_without_a_look_at_the_secret(manager: Stubber, age_s: int) -> None:
    assert ask(headers(age_s=age_s)) == {"isAuthorized": False}


@pytest.mark.parametrize("age_s", [298, -298])
def test_five_minutes_are_allowed_either_way(manager: Stubber, age_s: int) -> None:
    holds(manager, "acme", SECRET)
    assert ask(headers(age_s=age_s))["isAuthorized"]


@pytest.mark.parametrize("changed", ["x-forms-tenant", "x-forms-timestamp", "x-forms-digest", "x-forms-signature"])
def test_every_header_is_covered_by_the_signature(manager: Stubber, changed: str) -> None:
    holds(manager, "acme", SECRET)
    other = headers(tenant="acme", content=b"other", age_s=7) | {"x-forms-tenant": "bolt"}
    if changed == "x-forms-tenant":
        manager.add_response("get_secret_value", {"SecretString": "bolt's", "CreatedDate": datetime.now(UTC)})
        unknown(manager)
        authorizer.secrets.get("acme")
    assert ask(headers() | {changed: other[changed]}) == {"isAuthorized": False}


def test_the_method_is_covered_by_the_signature(manager: Stubber) -> None:
    holds(manager, "acme", SECRET)
    assert ask(headers(method="POST"), method="GET") == {"isAuthorized": False}


@pytest.mark.parametrize("tenant", ["", "../acme", "acme/destinations", "ACME", "-acme", "acme\n", "a" * 64, "é"])
def test_a_tenant_that_is_no_id_never_reaches_a_secrets_name(manager: Stubber, tenant: str) -> None:
    assert ask(headers(tenant=tenant)) == {"isAuthorized": False}


def test_an_unknown_tenant_is_looked_up_once(manager: Stubber) -> None:
    unknown(manager)
    assert ask(headers(tenant="nobody")) == {"isAuthorized": False}
    assert ask(headers(tenant="nobody", content=b"again")) == {"isAuthorized": False}
    manager.assert_no_pending_responses()


def test_the_previous_secret_is_good_for_a_while_after_a_rotation(manager: Stubber) -> None:
    holds(manager, "acme", "new", previous=SECRET, rotated_s_ago=3_000)
    assert ask(headers())["isAuthorized"]
    assert ask(headers(secret="new"))["isAuthorized"]


def test_the_previous_secret_is_not_good_for_ever(manager: Stubber) -> None:
    holds(manager, "acme", "new", rotated_s_ago=3_601)
    assert ask(headers()) == {"isAuthorized": False}


def test_a_remembered_previous_secret_ends_on_time_too(manager: Stubber, monkeypatch: pytest.MonkeyPatch) -> None:
    holds(manager, "acme", "new", previous=SECRET, rotated_s_ago=3_590)
    assert ask(headers())["isAuthorized"]
    now = time.time()
    monkeypatch.setattr(authorizer.time, "time", lambda: now + 15)
    holds(manager, "acme", "new", rotated_s_ago=3_605)
    assert ask(headers(content=b"later")) == {"isAuthorized": False}


def test_a_rotation_is_seen_before_the_remembered_secret_is_old(
    manager: Stubber, monkeypatch: pytest.MonkeyPatch
) -> None:
    holds(manager, "acme", SECRET)
    assert ask(headers())["isAuthorized"]
    now = time.time()
    monkeypatch.setattr(authorizer.time, "time", lambda: now + authorizer.REREAD_S)
    holds(manager, "acme", "new", previous=SECRET)
    assert ask(headers(secret="new"))["isAuthorized"]


def test_forged_signatures_do_not_reread_the_secret_each(manager: Stubber) -> None:
    holds(manager, "acme", SECRET)
    for content in (b"1", b"2", b"3"):
        assert ask(headers(secret="guess", content=content)) == {"isAuthorized": False}
    manager.assert_no_pending_responses()


def test_trouble_of_ours_is_an_error_and_no_denial_that_would_be_remembered(manager: Stubber) -> None:
    manager.add_client_error("get_secret_value", "InternalServiceError")
    with pytest.raises(Exception, match="InternalServiceError"):
        ask(headers())
