"""Passwords, keys, tokens, codes. None of them is anybody's.

One case a line: `[[…]]` marks what must be found, `⏎` is a line end."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from marked import Case, cases

from runtime.redaction.spans import Span

SECRETS = """
[[AKIAIOSFODNN7EXAMPLE]]
[[ghp_16C7e42F292c6912E7710c838347Ae178B4a]]
clé [[sk-proj-abcdEFGH1234567890abcd]].
[[eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl]]
Authorization: Bearer [[abc123def456ghi789]]
https://h.ca/x?token=[[abcdef123456]]&page=2
mot de passe : [[Soleil99!]]
Le mot de passe du portail est [[hunter2]], ne le dis pas
the password for my account is [[hunter2]].
password=[[correcthorse]]
{"password": "[[hunter2]]"}
API_KEY=[[9f8a7b6c5d4e3f2a1b0c]]
le nip de ma carte est [[4829]]
CVV [[123]]
code de vérification : [[483920]]
Le code est [[4821#]]
Le mot de passe doit contenir 12 caractères
The password is required. Password: required
token: the unit of a text
The error code is 5004
password: <SECRET_1>
ssh -p 2222 hôte
sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
mdp [[Hiver2024!]]
Mot de passe temporaire : [[Xk9#mP2q]]
Mon mot de passe est [[P@ss,w0rd;1]] et voilà
my password is [[Tr0ub4dor&3]] ok
Password for the Wi-Fi: [[maplesyrup]]
wifi password [[sunshine42]]
login: jroy / mot de passe: [[abcdef]]
pwd=[[Zx12!az]]; Server=db
mysql -u root -p[[S3cretPwd]]
curl -u [[admin:hunter2]] https://x.ca
DB_PASSWORD=[[s3cr3t-db-pass]]
export AWS_SECRET_ACCESS_KEY=[[wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY]]
Passphrase: "[[correct horse battery staple]]"
NIP : [[1234]]
my PIN is [[4829]]
votre code de sécurité est [[123456]]
Your verification code is [[483920]].
j'ai collé la clé [[9f8a7b6c5d4e3f2a1b0c9f8a7b6c5d4e]] par erreur
The token [[Zm9vYmFyMTIz8x9Qq7Lk2Pw]] leaked
[[glpat-AbCdEfGhIjKlMnOpQrSt]]
[[xoxb-123456789012-123456789012-AbCdEfGhIjKlMnOpQrStUvWx]]
[[AIzaSyA1B2C3D4E5F6G7H8I9J0K1L2M3N4O5P6Q]]
[[hf_AbCdEfGhIjKlMnOpQrStUvWxYz0123456789]]
[[SG.aBcDeFgHiJkLmNoPqRsTuV.wXyZ0123456789aBcDeFgHiJkLmNoPqRsTuVwXyZ012]]
[[sk_live_51H8abcdEFGHijklMNOPqrst]]
x = get_password()
password = input("Password: ")
if password == user.password:
const token = tokens[i];
key = "name"
The token bucket algorithm
Passwords must be 12 characters long
J'ai oublié mon mot de passe, que faire ?
Mot de passe oublié ?
git commit 9f8a7b6c5d4e3f2a1b0c9f8a7b6c5d4e5f6a7b8c
npm integrity sha512-9f8a7b6c5d4e3f2a1b0c9f8a7b6c5d4e
the primary key is user_id
Change your password every 90 days
la clé du problème est ailleurs
"""

TABLES = [
    (SECRETS, ("SECRET",)),
]


@pytest.mark.parametrize(
    ("case", "entities"), [(case, entities) for table, entities in TABLES for case in cases(table)], ids=repr
)
def test_found(case: Case, entities: tuple[str, ...], spans_in: Callable[[str], list[Span]]) -> None:
    text, expected = case
    spans = spans_in(text)
    assert [text[span.start : span.end] for span in spans] == [text[low:high] for low, high in expected]
    assert [(span.start, span.end) for span in spans] == expected
    assert not entities or {span.entity for span in spans} <= set(entities)
