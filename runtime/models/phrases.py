"""What `filagent models` says, in English and French, and its errors.

Codes are stable, sentences are not. `ModelsError` carries code and facts: whoever prints it chooses the language.
"""

from __future__ import annotations

from typing import Any, Final, Literal

from runtime.models.entries import RegistryError

Language = Literal["en", "fr"]
LANGUAGES: Final[tuple[Language, ...]] = ("en", "fr")

_ERRORS: Final[dict[str, tuple[str, str]]] = {
    "models.offline": (
        (
            "HF_HUB_OFFLINE is set, and {model} is not here: unset it for the pull, or copy the file and "
            "models.lock.yaml from a machine that has them"
        ),
        (
            "HF_HUB_OFFLINE est actif et {model} n'est pas ici : désactivez-le le temps du téléchargement, ou"
            " copiez le fichier et models.lock.yaml depuis une machine qui les a"
        ),
    ),
    "models.endpoint": (
        "HF_ENDPOINT must be an https address without credentials (http on this machine's loopback only)",
        "HF_ENDPOINT doit être une adresse https sans identifiants (http seulement sur la boucle locale)",
    ),
    "models.hub_unreachable": (
        "{hub} does not answer ({why}): check the network and HTTPS_PROXY, or name a mirror with HF_ENDPOINT",
        "{hub} ne répond pas ({why}) : vérifiez le réseau et HTTPS_PROXY, ou nommez un miroir avec HF_ENDPOINT",
    ),
    "models.hub_refused": (
        "the hub refused the request for {repository}/{file} (HTTP {status}): look at {page}",
        "le dépôt refuse la demande pour {repository}/{file} (HTTP {status}) : voyez {page}",
    ),
    "models.not_on_hub": (
        (
            "the hub has no {file} in {repository} (or not in the locked revision): look at {page} and "
            "correct config/models.yaml"
        ),
        (
            "le dépôt n'a pas {file} dans {repository} (ou pas dans la révision verrouillée) : voyez {page} "
            "et corrigez config/models.yaml"
        ),
    ),
    "models.gated": (
        (
            "{repository} asks who you are, or does not exist: accept its licence at {page}, then set "
            "HF_TOKEN to a token of yours"
        ),
        (
            "{repository} demande qui vous êtes, ou n'existe pas : acceptez sa licence à {page}, puis mettez "
            "un jeton à vous dans HF_TOKEN"
        ),
    ),
    "models.token_refused": (
        (
            "the hub refuses your token for {repository}: accept its licence at {page} with the account of "
            "HF_TOKEN, or renew the token"
        ),
        (
            "le dépôt refuse votre jeton pour {repository} : acceptez sa licence à {page} avec le compte de "
            "HF_TOKEN, ou renouvelez le jeton"
        ),
    ),
    "models.redirects": (
        "the hub redirects in circles or to no usable address: try again later, or name a mirror with HF_ENDPOINT",
        (
            "le dépôt redirige en rond ou vers une adresse inutilisable : réessayez plus tard, ou nommez un "
            "miroir avec HF_ENDPOINT"
        ),
    ),
    "models.insecure": (
        "the hub redirects to an unencrypted address, which is refused: name another mirror with HF_ENDPOINT",
        (
            "le dépôt redirige vers une adresse non chiffrée, ce qui est refusé : nommez un autre miroir avec"
            " HF_ENDPOINT"
        ),
    ),
    "models.hash_changed": (
        (
            "the hub has another file for {model} than the one that is known: sha256 {found} at {revision}, "
            "while the {where} says {known}. Nothing was loaded. If the change is meant, check the "
            "publisher's notes, then correct config/models.yaml or remove the entry from models.lock.yaml and"
            " pull again"
        ),
        (
            "le dépôt a pour {model} un autre fichier que celui qui est connu : sha256 {found} à {revision}, "
            "alors que ({where}) dit {known}. Rien n'a été téléchargé. Si le changement est voulu, lisez les "
            "notes de l'éditeur, puis corrigez config/models.yaml ou retirez l'entrée de models.lock.yaml et "
            "recommencez"
        ),
    ),
    "models.size_changed": (
        "the hub's file for {model} has {found} bytes, {known} were expected: correct config/models.yaml if it says so",
        "le fichier du dépôt pour {model} a {found} octets au lieu de {known} : corrigez config/models.yaml au besoin",
    ),
    "models.wrong_bytes": (
        (
            "what came for {model} is not the file that was expected (sha256 {found}, not {expected}); it was"
            " removed. Pull again; if it repeats, a proxy or mirror changes files"
        ),
        (
            "ce qui est arrivé pour {model} n'est pas le fichier attendu (sha256 {found} au lieu de "
            "{expected}) ; il a été supprimé. Recommencez ; si cela se répète, un proxy ou un miroir modifie "
            "les fichiers"
        ),
    ),
    "models.no_weights": (
        "what came for {model} is no GGUF file; it was removed. Look at the registry's repository and file",
        (
            "ce qui est arrivé pour {model} n'est pas un fichier GGUF ; il a été supprimé. Vérifiez dépôt et "
            "fichier dans le registre"
        ),
    ),
    "models.in_the_way": (
        "{path} is already there and is not the hub's file for {model}: move it away, or use it with MODEL_PATH",
        (
            "{path} existe déjà et n'est pas le fichier du dépôt pour {model} : déplacez-le, ou utilisez-le "
            "avec MODEL_PATH"
        ),
    ),
    "models.interrupted": (
        "the connection to {hub} keeps breaking ({why}); what came is kept: pull {model} again to go on",
        (
            "la connexion à {hub} se rompt sans cesse ({why}) ; ce qui est arrivé est gardé : relancez le "
            "téléchargement de {model} pour continuer"
        ),
    ),
    "models.disk_full": (
        "not enough room on the disk: {free:size} free, {needed:size} needed. Make room, or move FILAGENT_HOME",
        (
            "pas assez de place sur le disque : {free:size} libres, {needed:size} nécessaires. Faites de la "
            "place ou déplacez FILAGENT_HOME"
        ),
    ),
    "models.not_writable": (
        "the models directory cannot be used: {why}",
        "le dossier des modèles est inutilisable : {why}",
    ),
    "models.busy": (
        "another pull is at work in this home: wait for it",
        "un autre téléchargement est en cours ici : attendez sa fin",
    ),
    "models.not_confirmed": (
        "{model} was not loaded: it takes more than 2 GB; confirm with --yes",
        "{model} n'a pas été téléchargé : il dépasse 2 Go ; confirmez avec --yes",
    ),
    "models.no_source": ("{model} is not pulled: {why}", "{model} ne se télécharge pas : {why}"),
    "models.unknown": (
        "no model {name} in the registry; `filagent models list` shows those that are known",
        "aucun modèle {name} dans le registre ; `filagent models list` montre ceux qui sont connus",
    ),
    "models.nothing_fits": (
        "no model can be used as things are: `filagent models select --explain` says why",
        "aucun modèle n'est utilisable en l'état : `filagent models select --explain` dit pourquoi",
    ),
}

_SAID: Final[dict[str, tuple[str, str]]] = {
    "alias": (
        "{alias} is another name: today it means {model} ({title})",
        "{alias} est un autre nom : il désigne aujourd'hui {model} ({title})",
    ),
    "pull.here": ("{model}: already here, the hash is right", "{model} : déjà là, l'empreinte est bonne"),
    "pull.what": ("{model}: {title}, {size:size} from {page}", "{model} : {title}, {size:size} depuis {page}"),
    "pull.licence": (
        "licence: {licence} ({terms}); read it there before you use the model",
        "licence : {licence} ({terms}) ; lisez-la sur cette page avant d'utiliser le modèle",
    ),
    "pull.by_registry": ("its hash is pinned in the registry", "son empreinte est fixée dans le registre"),
    "pull.by_lock": (
        "its hash was locked by an earlier pull",
        "son empreinte a été verrouillée à un téléchargement antérieur",
    ),
    "pull.by_hub": (
        "no hash was known here before: the hub's own is taken, and locked for the future",
        "aucune empreinte n'était connue ici : celle du dépôt est prise, et verrouillée pour la suite",
    ),
    "pull.by_nobody": (
        "nobody vouches for this file: whatever comes is hashed and locked for the future",
        "personne ne garantit ce fichier : l'empreinte de ce qui arrive est verrouillée pour la suite",
    ),
    "pull.resumes": ("going on after {loaded:size} of {size:size}", "reprise après {loaded:size} sur {size:size}"),
    "pull.again": (
        "interrupted ({why}) after {loaded:size}; trying again",
        "interrompu ({why}) après {loaded:size} ; nouvel essai",
    ),
    "pull.progress": (
        "  {loaded:size} of {size:size}, {rate:size}/s, {left:time} left",
        "  {loaded:size} sur {size:size}, {rate:size}/s, encore {left:time}",
    ),
    "pull.checking": ("checking {size:size} …", "vérification de {size:size} …"),
    "pull.done": ("{model}: sha256 {sha256} is right; at {path}", "{model} : sha256 {sha256} juste ; dans {path}"),
    "pull.locked": (
        "locked: revision {revision} and this hash now stand in models.lock.yaml; another file will be refused",
        (
            "verrouillé : la révision {revision} et cette empreinte sont dans models.lock.yaml ; tout autre "
            "fichier est refusé"
        ),
    ),
    "pull.next": (
        "to serve it: filagent models select --model {model} --apply",
        "pour le servir : filagent models select --model {model} --apply",
    ),
    "pull.sure": ("Load {size:size} now? [y/N] ", "Télécharger {size:size} maintenant ? [o/N] "),
    "terms.open": ("commercial use allowed", "usage commercial permis"),
    "terms.conditional": ("under conditions", "sous conditions"),
    "terms.research": ("no commercial use", "pas d'usage commercial"),
    "check.good": ("good", "bon"),
    "check.wrong": ("WRONG HASH", "MAUVAISE EMPREINTE"),
    "check.unknown": ("nobody vouches for it: pull it", "personne ne le garantit : téléchargez-le"),
    "check.missing": ("MISSING, though locked", "ABSENT, bien que verrouillé"),
    "check.nothing": ("no model file is here", "aucun fichier de modèle ici"),
    "select.applied": (
        "kept in {path}; it takes effect when the server starts again",
        "gardé dans {path} ; pris en compte au prochain démarrage du serveur",
    ),
    "list.head": ("model|here|fits|size|licence|other names", "modèle|ici|tient|taille|licence|autres noms"),
    "yes": ("yes", "oui"),
    "no": ("no", "non"),
    "unknown": ("unknown", "inconnu"),
}


class ModelsError(RegistryError):
    """A model cannot be had or used; `code` is stable, `text` says in words what to do."""

    def __init__(self, code: str, **facts: Any) -> None:
        self.code = code
        self.facts = facts
        super().__init__(self.text("en"))

    def text(self, language: Language) -> str:
        return _fill(_ERRORS[self.code], language, self.facts)


def phrase(code: str, language: Language, **facts: Any) -> str:
    """One sentence, `{x:size}` and `{x:time}` written as people read them."""
    return _fill(_SAID[code], language, facts)


def fill(pair: tuple[str, str], language: Language, **facts: Any) -> str:
    """A sentence of another table, filled in the same way."""
    return _fill(pair, language, facts)


def size_text(count: float | None, language: Language) -> str:
    """Bytes for people: 4.8 GB, 4,8 Go."""
    if count is None:
        return "?"
    unit = ("GB", "Go") if count >= 10**9 else ("MB", "Mo")
    value = count / 10**9 if count >= 10**9 else count / 10**6
    text = f"{value:.1f}" if count >= 10**9 or value < 10 else f"{value:.0f}"
    return f"{text} {unit[0]}" if language == "en" else f"{text.replace('.', ',')} {unit[1]}"


def _time_text(seconds: float | None) -> str:
    if seconds is None:
        return "?"
    minutes = round(seconds / 60)
    if minutes < 1:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


class _Fact:
    """A value that can be written as a size or a duration."""

    def __init__(self, value: Any, language: Language) -> None:
        self._value = value
        self._language = language

    def __format__(self, form: str) -> str:
        if form == "size":
            return size_text(self._value, self._language)
        if form == "time":
            return _time_text(self._value)
        text = "?" if self._value is None else format(self._value, form) if form else str(self._value)
        return text.replace(".", ",") if isinstance(self._value, float) and self._language == "fr" else text


def _fill(pair: tuple[str, str], language: Language, facts: dict[str, Any]) -> str:
    return pair[LANGUAGES.index(language)].format_map({name: _Fact(value, language) for name, value in facts.items()})
