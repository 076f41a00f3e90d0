"""The same values in the forms that programs give them: JSON, XML, tables, logs, query strings, source code."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from runtime.redaction.spans import Span

# A value, and the keys under which it is found.
VALUES = {
    "046454286": "nas sin NAS numeroAssuranceSociale social_insurance_number sinNumber",
    "514 555-0123": "tel telephone phoneNumber cell_phone homePhone téléphone fax",
    "j.roy@ex.ca": "email courriel e-mail emailAddress",
    "TREM80010112": "ramq nam health_card carteSoleil",
    "1980-03-12": "dob date_naissance dateNaissance birth_date dateOfBirth date_de_naissance",
    "T123412018501": "permis permis_conduire driver_licence driversLicense no_permis",
    "HG123456": "passeport passport_no passportNumber numeroPasseport",
    "4540123456789010": "card cardNumber numero_carte pan",
    "1234567": "compte accountNumber no_compte folio bank_account",
    "20541": "transit transit_number transitNumber noTransit",
    "815": "institution institution_number institutionNumber",
    "48213": "employee_id employeeNumber matricule no_employe noEmploye badge",
    "884512": "patient_id patientNumber mrn no_dossier numeroDossier medical_record_number",
    "HX-9920447": "policy policy_number policyNumber no_police contrat",
    "2024-558812": "claim claimNumber sinistre reclamation",
    "100234": "client_id clientNumber customer_number no_client numéroClient",
    "260998877": "student_id studentNumber matricule_etudiant",
    "H42KLM": "plate plaque licensePlate license_plate immatriculation",
    "Xk9mPq2w": "password pwd mdp motDePasse userPassword db_password",
    "4821": "pin nip cvv",
    "9f8a7b6c5d4e3f2a1b0c": "api_key apiKey access_token client_secret token secretKey",
    "184127645108946": "nir numero_securite_sociale numSecu",
    "536221234": "ssn social_security_number socialSecurityNumber",
    "FR7630006000011234567890189": "iban IBAN",
    "90210": "zip zipCode code_postal",
    "24.114.52.8": "ip ip_address clientIp remote_addr",
    "1234567890": "ohip healthCardNumber health_card_number phn",
    "1142345678": "neq NEQ",
    "1234 rue Cartier": "address adresse street",
}
FORMS = {
    "JSON": '{{"id": 7, "{key}": "{value}", "x": true}}', "compact JSON": '{{"{key}":"{value}"}}', "escaped JSON": '{{\\"{key}\\": \\"{value}\\"}}',
    "XML": "<row><{key}>{value}</{key}></row>", "attribute": '<p {key}="{value}"/>', "YAML": "user:\n  {key}: {value}\n  ok: yes", "environment": "{key}={value}",
    "Python": "{key} = '{value}'", "PHP": "'{key}' => '{value}',", "Markdown": "| {key} | {value} |", "tabs": "{key}\t{value}", "colon": "{key} : {value}", "line": "{key}\n{value}",
    "brackets": "{key} [{value}]", "parentheses": "{key} ({value})", "dash": "{key} - {value}", "log": "2024-05-06T12:00:00Z INFO {key}={value} status=200",
    "SQL": "INSERT INTO t ({key}) VALUES ('{value}')", "cells": "<td>{key}</td><td>{value}</td>", "label": "<label>{key}</label> <span>{value}</span>",
    "query": "https://x.ca/a?z=1&{key}={value}&y=2",
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
@pytest.mark.parametrize("value", VALUES)
def test_masked_whole(value: str, form: str, spans_in: Callable[[str], list[Span]]) -> None:
    for key in VALUES[value].split():
        written = value.replace(" ", "%20") if form.startswith("https") else value
        text = form.format(key=key, value=written)
        start = text.rindex(written)
        covered = {at for span in spans_in(text) for at in range(span.start, span.end)}
        assert {at for at in range(start, start + len(written)) if text[at].isalnum()} <= covered, text


def test_the_keys_alone_are_nobodys(spans_in: Callable[[str], list[Span]]) -> None:
    for form in FORMS.values():
        for keys in VALUES.values():
            for key in keys.split():
                assert spans_in(form.format(key=key, value="")) == [], (form, key)
