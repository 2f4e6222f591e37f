"""The client: signs as a tenant does, sends, and sends again when nobody answered."""

import hashlib
import hmac
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

import httpx

PATH = "/v1/submissions"

# Worth another try: nobody there, or trouble that is not ours.
AGAIN = {429, 500, 502, 503, 504}
PATIENCE_S = 60.0
PAUSE_S = 0.25


@dataclass(frozen=True)
class Answer:
    """What came back in the end, and after how many attempts."""

    status: int
    error: str  # the refusal's name, or the gateway's message
    body: dict[str, object]
    attempts: int
    request_id: str = ""  # the gateway's: the correlation id of everything that followed


@dataclass
class Signer:
    """One tenant's way to sign; its secret may change under way."""

    tenant: str
    secret: str

    def headers(self, method: str, content: bytes, age_s: int = 0) -> dict[str, str]:
        """The four headers of a request with this content (the body, or a GET's query string)."""
        timestamp = str(int(time.time()) - age_s)
        digest = hashlib.sha256(content).hexdigest()
        text = "\n".join((timestamp, method, PATH, self.tenant, digest))
        return {
            "x-forms-tenant": self.tenant,
            "x-forms-timestamp": timestamp,
            "x-forms-digest": digest,
            "x-forms-signature": hmac.new(self.secret.encode(), text.encode(), hashlib.sha256).hexdigest(),
        }


@dataclass
class Client:
    """Sends requests to one API, patiently."""

    api: str
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=35.0))

    def submit(self, signer: Signer, body: bytes, resign: bool = True, final: Iterable[int] = ()) -> Answer:
        """Post a submission. A repeat is signed anew, unless the request itself is what makes it the same submission.

        `final` are the statuses not to try again at, even if they look like trouble.
        """
        headers = signer.headers("POST", body)

        def request() -> httpx.Request:
            fresh = signer.headers("POST", body) if resign else headers
            return self.http.build_request("POST", self.api + PATH, content=body, headers=fresh | JSON)

        return self._patiently(request, final)

    def post(self, headers: dict[str, str], body: bytes, final: Iterable[int] = ()) -> Answer:
        """Post a body under headers made elsewhere: what somebody would do who should not."""
        return self._patiently(
            lambda: self.http.build_request("POST", self.api + PATH, content=body, headers=headers | JSON), final
        )

    def get(self, signer: Signer, parameters: dict[str, str], headers: dict[str, str] | None = None) -> Answer:
        """List submissions, signed for this query unless other headers are given."""
        query = str(httpx.QueryParams(parameters))
        url = f"{self.api}{PATH}?{query}" if query else self.api + PATH
        return self._patiently(
            lambda: self.http.build_request("GET", url, headers=headers or signer.headers("GET", query.encode())), ()
        )

    def _patiently(self, request, final: Iterable[int]) -> Answer:  # type: ignore[no-untyped-def]
        until = time.monotonic() + PATIENCE_S
        attempts = 0
        while True:
            attempts += 1
            try:
                response = self.http.send(request())
            except httpx.TransportError as error:
                if time.monotonic() > until:
                    return Answer(0, type(error).__name__, {}, attempts)
            else:
                if response.status_code not in AGAIN or response.status_code in final or time.monotonic() > until:
                    return _answer(response, attempts)
            time.sleep(PAUSE_S)


JSON = {"content-type": "application/json"}


def _answer(response: httpx.Response, attempts: int) -> Answer:
    try:
        body = response.json()
    except ValueError:
        body = {}
    body = body if isinstance(body, dict) else {}
    return Answer(
        response.status_code,
        str(body.get("error") or body.get("message") or ""),
        body,
        attempts,
        response.headers.get("apigw-requestid", ""),
    )
