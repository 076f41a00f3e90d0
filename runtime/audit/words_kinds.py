"""Types of personal data in words, one of each, in English and French: for reports and the console alike.

A type that is not known here is shown as its code: a policy may name more.
"""

from __future__ import annotations

from collections.abc import Mapping

KIND_WORDS: Mapping[str, tuple[str, str]] = {
    "PERSON": ("name of a person", "nom de personne"),
    "LOCATION": ("place", "lieu"),
    "ORGANIZATION": ("organisation", "organisation"),
    "NRP": ("origin or belief", "origine ou conviction"),
    "EMAIL_ADDRESS": ("e-mail address", "adresse de courriel"),
    "PHONE_NUMBER": ("telephone number", "numéro de téléphone"),
    "STREET_ADDRESS": ("street address", "adresse postale"),
    "DATE_OF_BIRTH": ("date of birth", "date de naissance"),
    "CA_POSTAL_CODE": ("postal code (Canada)", "code postal (Canada)"),
    "CA_SIN": ("social insurance number (Canada)", "numéro d'assurance sociale (Canada)"),
    "CA_RAMQ": ("health insurance number (Québec)", "numéro d'assurance maladie (Québec)"),
    "CA_NEQ": ("enterprise number (Québec)", "numéro d'entreprise (Québec)"),
    "CA_TAX_NUMBER": ("tax number (Canada)", "numéro de taxe (Canada)"),
    "CA_DRIVER_LICENSE": ("driver's licence (Canada)", "permis de conduire (Canada)"),
    "PASSPORT": ("passport number", "numéro de passeport"),
    "ID_NUMBER": ("other identifying number", "autre numéro d'identification"),
    "LICENSE_PLATE": ("licence plate", "plaque d'immatriculation"),
    "CREDIT_CARD": ("card number", "numéro de carte"),
    "BANK_ACCOUNT": ("bank account", "compte bancaire"),
    "IBAN_CODE": ("bank account (IBAN)", "compte bancaire (IBAN)"),
    "CRYPTO": ("cryptocurrency address", "adresse de cryptomonnaie"),
    "FR_NIR": ("social security number (France)", "numéro de sécurité sociale (France)"),
    "FR_ID_CARD": ("identity card (France)", "carte d'identité (France)"),
    "FR_SIREN": ("company number (SIREN, France)", "numéro d'entreprise (SIREN, France)"),
    "FR_SIRET": ("establishment number (SIRET, France)", "numéro d'établissement (SIRET, France)"),
    "US_SSN": ("social security number (USA)", "numéro de sécurité sociale (É.-U.)"),
    "US_ITIN": ("taxpayer number (USA)", "numéro de contribuable (É.-U.)"),
    "IP_ADDRESS": ("IP address", "adresse IP"),
    "MAC_ADDRESS": ("MAC address", "adresse MAC"),
    "URL_CREDENTIALS": ("password in a web address", "mot de passe dans une adresse web"),
    "SECRET": ("password or key", "mot de passe ou clé"),
    "LITERAL": ("text that looks like a mask", "texte qui ressemble à un masque"),
}


def kind_text(entity: str, language: str) -> str:
    """A type in words, in lower case; its code where there are none. `language`: `en` or `fr`."""
    pair = KIND_WORDS.get(entity)
    return entity if pair is None else pair[language == "fr"]
