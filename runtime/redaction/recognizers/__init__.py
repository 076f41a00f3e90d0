"""The deterministic recognizers. To add one: write its file, add it here."""

from __future__ import annotations

from runtime.redaction.recognizers.access_code import AccessCode
from runtime.redaction.recognizers.bank_account import BankAccount
from runtime.redaction.recognizers.base import Identifier
from runtime.redaction.recognizers.be_national import BeNational
from runtime.redaction.recognizers.british_address import BritishAddress
from runtime.redaction.recognizers.ca_business import CaBusiness
from runtime.redaction.recognizers.ca_ramq import CaRamq
from runtime.redaction.recognizers.ca_sin import CaSin
from runtime.redaction.recognizers.credit_card import CreditCard
from runtime.redaction.recognizers.crypto import Crypto
from runtime.redaction.recognizers.date_of_birth import DateOfBirth
from runtime.redaction.recognizers.driver_license import DriverLicense
from runtime.redaction.recognizers.dwelling import Dwelling
from runtime.redaction.recognizers.email_address import EmailAddress
from runtime.redaction.recognizers.email_spelled import EmailSpelled
from runtime.redaction.recognizers.fr_business import FrBusiness
from runtime.redaction.recognizers.fr_id_card import FrIdCard
from runtime.redaction.recognizers.fr_nir import FrNir
from runtime.redaction.recognizers.health_card import HealthCard
from runtime.redaction.recognizers.iban_code import IbanCode
from runtime.redaction.recognizers.ip_address import IpAddress
from runtime.redaction.recognizers.labelled_id import LabelledId
from runtime.redaction.recognizers.license_plate import LicensePlate
from runtime.redaction.recognizers.mac_address import MacAddress
from runtime.redaction.recognizers.numbered_id import NumberedId
from runtime.redaction.recognizers.passport import Passport
from runtime.redaction.recognizers.password import Password
from runtime.redaction.recognizers.phone_number import PhoneNumber
from runtime.redaction.recognizers.postal_code import PostalCode
from runtime.redaction.recognizers.record_rows import RecordRows
from runtime.redaction.recognizers.secret import Secret
from runtime.redaction.recognizers.street_address import StreetAddress
from runtime.redaction.recognizers.uk_nino import UkNino
from runtime.redaction.recognizers.url_credentials import UrlCredentials
from runtime.redaction.recognizers.us_ssn import UsSsn
from runtime.redaction.recognizers.vehicle_number import VehicleNumber

IDENTIFIERS: tuple[type[Identifier], ...] = (
    EmailAddress, EmailSpelled, PhoneNumber, CaSin, CreditCard, IbanCode, IpAddress, MacAddress, UsSsn, CaRamq,
    HealthCard, PostalCode, FrNir, FrBusiness, FrIdCard, CaBusiness, DriverLicense, Passport, BankAccount,
    LicensePlate, Secret, Password, StreetAddress, Dwelling, BritishAddress, DateOfBirth, LabelledId,
    NumberedId, AccessCode, UkNino, VehicleNumber, Crypto, UrlCredentials, RecordRows,
    BeNational,
)  # fmt: skip
