"""Secrets told by their form: keys and tokens of known issuers, private keys, what query strings and cookies carry.

A private key block may be thousands of characters long: only its first line is found here (pattern `pem`), and the
scanner keeps masking until the block ends (`segments.py`). What only the words before make a secret is for
`password.py`, who logs in where in an address for `url_credentials.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from runtime.redaction.recognizers.base import Hit, Identifier, Run

PEM = "pem"
_PEM_BEGIN = re.compile(r"-----BEGIN [A-Z0-9 ]{0,32}PRIVATE KEY[A-Z ]{0,8}-----|PuTTY-User-Key-File-[23]:")
# The forms that issuers publish for secret scanning.
_ISSUED = re.compile(
    r"(?<![A-Za-z0-9_])(?:"
    r"(?:AKIA|ASIA|ABIA|ACCA|AGPA|AIDA|AROA|ANPA)[A-Z0-9]{16}(?![A-Za-z0-9])|"  # AWS
    r"gh[pousr]_[A-Za-z0-9]{20,255}|github_pat_[A-Za-z0-9_]{22,255}|"
    r"gl(?:pat|ptt|dt|rt|soat|ft|cbt|imt|agent|ffct)-[A-Za-z0-9_-]{16,80}(?:\.[a-z0-9.]{2,20})?|"
    r"xox[abcdeoprs]-[A-Za-z0-9-]{10,250}|xapp-[0-9]-[A-Za-z0-9-]{10,250}|xoxe\.xox[bp]-[A-Za-z0-9-]{10,250}|"
    r"(?:sk|rk|pk|whsec|ck|api|key|tok|secret|token|access|auth|live|test|pat|prod|sess|user|app|bot|org|acct|client)_"
    r"(?:live_|test_|prod_|sandbox_)?(?=[A-Za-z]{0,40}[0-9])[A-Za-z0-9]{16,250}(?![A-Za-z0-9_])|"
    r"sk-(?:proj-|ant-|or-|svcacct-|admin-|lf-)?[A-Za-z0-9_-]{16,250}|pk-lf-[A-Za-z0-9-]{20,60}|"
    r"pplx-[A-Za-z0-9]{20,100}|hf_[A-Za-z]{30,40}(?![A-Za-z0-9_])|"
    r"(?:hf|npm|dop_v1|doo_v1|dor_v1|gsk|r8|sntrys|sntryu|shpat|shpss|shpca|shppa|ntn|figd|lin_api|rubygems|pypi|"
    r"dckr_pat|"
    r"dckr_oat|nvapi|tvly|xai|rpa|sbp|sb_secret|pscale_tkn|pscale_pw|oy2|glsa|glc|duffel_live|duffel_test|frame|"
    r"easyimg|EZAK|EZTK|"
    r"FLWSECK|lsv2_pt|lsv2_sk|fio-u|sgp|tskey|vercel|re|phx|phc|fc|jina|csk|co|up|wx|"
    r"PRIVATE)[_-](?=[A-Za-z_-]{0,40}[0-9])"
    r"[A-Za-z0-9_-]{20,250}|"
    r"AIza[A-Za-z0-9_-]{30,60}|ya29\.[A-Za-z0-9_-]{20,250}|GOCSPX-[A-Za-z0-9_-]{20,60}|1//0[A-Za-z0-9_-]{30,250}|"
    r"SG\.[A-Za-z0-9_-]{16,64}\.[A-Za-z0-9_-]{16,64}|key-[0-9a-f]{32}|[0-9a-f]{32}-us[0-9]{1,2}|(?:AC|"
    r"SK)[0-9a-f]{32}(?![A-Za-z0-9])|"
    r"[0-9]{8,10}:AA[A-Za-z0-9_-]{32,36}|"  # Telegram
    r"[MNO][A-Za-z0-9]{23,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,40}|"  # Discord
    r"pat-[a-z]{2}[0-9]-[0-9a-f-]{36}|dapi[0-9a-f]{32}|hv[sbr]\.[A-Za-z0-9_-]{20,200}|[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_-]{60,70}|dp\.(?:pt|st|ct|"
    r"sa|scim)\.[A-Za-z0-9]{30,60}|"
    r"ATATT3[A-Za-z0-9_=-]{20,250}|ATCTT3[A-Za-z0-9_=-]{20,250}|pat[A-Za-z0-9]{14}\.[0-9a-f]{64}|NR(?:AK|JS|RA|II|IQ|"
    r"AA)-[A-Za-z0-9-]{20,60}|PMAK-[0-9a-f]{24}-[0-9a-f]{34}|"
    r"sq0[a-z]{3}-[A-Za-z0-9_-]{20,60}|EAA[A-Za-z0-9]{30,250}|AKCp[A-Za-z0-9]{60,80}|HRKU-[A-Za-z0-9_-]{30,80}|"
    r"FlyV1 fm[0-9]_[A-Za-z0-9+/=_-]{40,400}|"
    r"FwoGZXIvYXdz[A-Za-z0-9+/=]{40,400}|IQoJb3JpZ2lu[A-Za-z0-9+/=]{40,400}|amzn\.mws\.[0-9a-f-]{36}|"
    r"AAAA[A-Za-z0-9_-]{7}:[A-Za-z0-9_-]{140}|"
    r"eyJ[A-Za-z0-9_-]{6,}+\.[A-Za-z0-9_-]{6,}+(?:\.[A-Za-z0-9_-]*+){0,3}|"  # JWT, JWE
    r"(?:[0-9]{6}-){7}[0-9]{6}(?![0-9-])|"  # BitLocker
    r"b3BlbnNzaC1rZXkt[A-Za-z0-9+/]{16,8000}={0,2}|"  # the body of an OpenSSH private key
    r"AGE-SECRET-KEY-1[A-Z0-9]{20,70}|BEGIN_SECRET_[A-Za-z0-9]{16,64}"
    r")"
)
_LONG = re.compile(r"[A-Za-z0-9_.:/-]{18}")
# The secret half of an AWS key, right behind its public one.
_BESIDE_ID = re.compile(
    r"(?<![A-Za-z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])[^A-Za-z0-9]{1,4}(?:[A-Za-z_]{1,20}[^A-Za-z0-9]{1,4}){0,3}"
    r"([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])"
)
_WEBHOOK = re.compile(
    r"(?<=hooks\.slack\.com/services/)[A-Za-z0-9/]{20,80}|"
    r"(?<=discord\.com/api/webhooks/)[0-9]{15,22}/[A-Za-z0-9_-]{40,90}|"
    r"(?<=discordapp\.com/api/webhooks/)[0-9]{15,22}/[A-Za-z0-9_-]{40,90}|"
    r"(?<=webhook\.office\.com/webhookb2/)[A-Za-z0-9@/_-]{40,200}"
)
_WORDS_OF_EXAMPLES = frozenset(
    {"value", "token", "your_token", "your_key", "secret", "password", "string", "xxxx", "true", "false", "null"}
)
_QUERY = re.compile(
    r"[?&;#](?:access_?token|id_?token|refresh_?token|token|api_?key|apikey|key|sig|signature|password|pwd|passwd|mdp|"
    r"pass|pw|"
    r"secret|client_secret|app_?key|private_?key|auth|authorization|code|session|session_?id|sid|x-amz-signature|"
    r"x-amz-credential|"
    r"x-amz-security-token|jwt|otp|pin|nip|subscription-key)=([^\s&#\"'<>]{4,512})",
    re.IGNORECASE,
)
_COOKIE = re.compile(
    r"(?<![\w-])(?:phpsessid|jsessionid|asp\.net_sessionid|connect\.sid|sessionid|session_id|session|sid|csrftoken|"
    r"xsrf-token|auth_token|"
    r"remember_token|laravel_session)=([^\s;,\"'<>&]{12,512})",
    re.IGNORECASE,
)


class Secret(Identifier):
    """API keys, tokens, private keys."""

    ENTITY = "SECRET"

    def find(self, run: Run) -> Iterator[Hit]:
        text = run.text
        if _LONG.search(text):
            for match in _ISSUED.finditer(text):
                end = match.end() - (match.group()[-1] in ".-_")
                yield Hit(match.start(), end, 1.0, "issued")
            for match in _BESIDE_ID.finditer(text):
                yield Hit(*match.span(1), 0.95, "issued")
            for match in _WEBHOOK.finditer(text):
                yield Hit(match.start(), match.end(), 1.0, "webhook")
        if "-----" in text or "PuTTY" in text:
            for match in _PEM_BEGIN.finditer(text):
                yield Hit(match.start(), match.end(), 1.0, PEM)
        if "=" in text:
            for pattern, name in ((_QUERY, "query"), (_COOKIE, "cookie")):
                for match in pattern.finditer(text):
                    if any(map(str.isdigit, match[1])) or (
                        name == "query" and match[1].lower() not in _WORDS_OF_EXAMPLES
                    ):
                        yield Hit(*match.span(1), 0.9, name)
