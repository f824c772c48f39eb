"""Snippets: the postback of the guide as it is written in a terminal, in Python, in PHP and in JavaScript.

What a developer has to fill in stands in ``<>``, in the guide's words; Ringback refuses it where it was left standing.
"""

from __future__ import annotations

from dataclasses import dataclass

CALL = "<trackdrive_call_uuid>"
CREDENTIAL = "<base64_encoded_credentials>"
BODY = '{"buyer_converted": "true", "revenue": "42.00", "offer_converted": "true", "post_call_tokens": {}}'
"""The smallest body of the guide, with a value in it."""

_URL = "@url@"

_CURL = f"""\
curl -X POST '{_URL}' \\
  -H 'Content-Type: application/json' \\
  -H 'Authorization: Basic {CREDENTIAL}' \\
  -d '{BODY}'
"""

_PYTHON = f"""\
import json
import urllib.error
import urllib.request

request = urllib.request.Request(
    "{_URL}",
    method="POST",
    headers={{
        "Content-Type": "application/json",
        "Authorization": "Basic {CREDENTIAL}",
    }},
    data=json.dumps({{
        "buyer_converted": "true",
        "revenue": "42.00",
        "offer_converted": "true",
        "post_call_tokens": {{}},
    }}).encode(),
)
try:
    with urllib.request.urlopen(request, timeout=10) as answer:
        print(answer.status, answer.read().decode())
except urllib.error.HTTPError as refused:
    print(refused.code, refused.read().decode())
"""

_PHP = f"""\
<?php
$request = curl_init('{_URL}');
curl_setopt_array($request, [
    CURLOPT_POST => true,
    CURLOPT_HTTPHEADER => [
        'Content-Type: application/json',
        'Authorization: Basic {CREDENTIAL}',
    ],
    CURLOPT_POSTFIELDS => json_encode([
        'buyer_converted' => 'true',
        'revenue' => '42.00',
        'offer_converted' => 'true',
        'post_call_tokens' => (object) [],
    ]),
    CURLOPT_RETURNTRANSFER => true,
    CURLOPT_TIMEOUT => 10,
]);
$answer = curl_exec($request);
echo $answer === false
    ? 'No answer: ' . curl_error($request)
    : curl_getinfo($request, CURLINFO_RESPONSE_CODE) . ' ' . $answer, PHP_EOL;
"""

_JAVASCRIPT = f"""\
const answer = await fetch("{_URL}", {{
  method: "POST",
  headers: {{
    "Content-Type": "application/json",
    "Authorization": "Basic {CREDENTIAL}",
  }},
  body: JSON.stringify({{
    "buyer_converted": "true",
    "revenue": "42.00",
    "offer_converted": "true",
    "post_call_tokens": {{}},
  }}),
  signal: AbortSignal.timeout(10_000),
}});
console.log(answer.status, await answer.text());
"""


@dataclass(frozen=True, slots=True)
class Snippet:
    """The postback in one language; ``hint`` says where it runs."""

    name: str
    label: str
    hint: str
    template: str

    def text(self, url: str) -> str:
        """The snippet for an address."""
        return self.template.replace(_URL, url)


SNIPPETS = (
    Snippet("curl", "curl", "In a terminal of Linux or macOS, or in Git Bash.", _CURL),
    Snippet("python", "Python", "Python 3; nothing has to be installed.", _PYTHON),
    Snippet("php", "PHP", "PHP 7 or newer, with its curl extension.", _PHP),
    Snippet(
        "javascript",
        "JavaScript",
        "Node 18 or newer, in a file that ends in .mjs. Not in a web page: its visitors could read the credential.",
        _JAVASCRIPT,
    ),
)
