"""The deterministic recognizers. To add one: write its file, add it here."""

from __future__ import annotations

from runtime.redaction.recognizers.base import Identifier
from runtime.redaction.recognizers.ca_postal_code import CaPostalCode
from runtime.redaction.recognizers.ca_ramq import CaRamq
from runtime.redaction.recognizers.ca_sin import CaSin
from runtime.redaction.recognizers.credit_card import CreditCard
from runtime.redaction.recognizers.date_of_birth import DateOfBirth
from runtime.redaction.recognizers.email_address import EmailAddress
from runtime.redaction.recognizers.fr_nir import FrNir
from runtime.redaction.recognizers.iban_code import IbanCode
from runtime.redaction.recognizers.ip_address import IpAddress
from runtime.redaction.recognizers.labelled_id import LabelledId
from runtime.redaction.recognizers.mac_address import MacAddress
from runtime.redaction.recognizers.phone_number import PhoneNumber
from runtime.redaction.recognizers.secret import Secret
from runtime.redaction.recognizers.street_address import StreetAddress
from runtime.redaction.recognizers.us_ssn import UsSsn

IDENTIFIERS: tuple[type[Identifier], ...] = (
    EmailAddress, PhoneNumber, CaSin, CreditCard, IbanCode, IpAddress, MacAddress, UsSsn, CaRamq, CaPostalCode, FrNir,
    Secret, StreetAddress, DateOfBirth, LabelledId,
)  # fmt: skip
