"""Who logs in with what in the address of a machine: `postgres://app:S3cr3t@db`, `root:hunter2@10.0.0.4`.

Examples and variables of templates are nobody's. Other secrets are for `secret.py` and `password.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from runtime.redaction.lexicon import word_set
from runtime.redaction.recognizers.base import Hit, Identifier, Run

_URL_USER = re.compile(r"(?<=://)(?:[^\s/?#@\"'<>]{1,256}|[^\s/?#@:\"'<>]{0,64}:[^\s/\"'<>]{1,128})(?=@[\w\[$%{(])")
# The same without a scheme, before an address of a machine: root:hunter2@10.0.0.4
_HOST_USER = re.compile(r"(?<![\w/:@.-])[\w.-]{2,32}:[^\s@/:\"'<>]{4,64}(?=@(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![0-9.]))")
_EXAMPLES = word_set(
    """
    user users username usr login me you name pass passwd password pwd mypassword yourpassword your_password secret
    token your_token access_token x-access-token oauth2 key api_key apikey git hg svn anonymous utilisateur usager
    identifiant nom motdepasse mot_de_passe mdp jeton secrets xxx xxxx credentials
    """
)
_VARIABLE = re.compile(
    r"\$\{[^{}]{0,80}\}|\$\([^()]{0,80}\)|\$[A-Za-z_]\w{0,63}|\{\{?[^{}]{0,80}\}?\}|%[sd]|%\w{1,40}%|%\(\w{1,40}\)s|"
    r"\[[^\[\]]{1,40}\]|#\{[^{}]{0,80}\}|[*.xX•…]{1,64}|[A-Z]+(?:_[A-Z]+)*|"
    r"(?:your|my|mon|votre|ton|db|the)[_-][a-z]+(?:[_-][a-z]+){0,3}"
)


class UrlCredentials(Identifier):
    """Names and passwords in the addresses of machines."""

    ENTITY = "URL_CREDENTIALS"

    def applies(self, run: Run) -> bool:
        return "@" in run.text and ":" in run.text

    def find(self, run: Run) -> Iterator[Hit]:
        text = run.text
        if "://" in text:
            for match in _URL_USER.finditer(text):
                if not is_example(match.group()):
                    yield Hit(match.start(), match.end(), 1.0, "url")
        for match in _HOST_USER.finditer(text):
            if not is_example(match.group()):
                yield Hit(match.start(), match.end(), 0.95, "host")


def is_example(userinfo: str) -> bool:
    """Whether the secret of a user and a password, the whole if there is no colon, is a placeholder."""
    user, colon, password = userinfo.partition(":")
    if not colon:
        return user.lower() in _EXAMPLES or _VARIABLE.fullmatch(user) is not None
    if _VARIABLE.fullmatch(password):
        return not password.isalpha() or user.isupper()
    return password.lower() in _EXAMPLES and (user.lower() in _EXAMPLES or not user)
