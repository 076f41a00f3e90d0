"""The report's sentences, English and French: what was found, and what to do about it."""

from __future__ import annotations

from typing import Final

TITLES: Final[dict[str, tuple[str, str]]] = {
    "QW-01": ("the model is here and fits", "le modèle est présent et tient en mémoire"),
    "QW-02": ("its hash is the expected one", "son empreinte est celle attendue"),
    "QW-03": ("the model host answers", "le processus du modèle répond"),
    "QW-04": ("a question in Chinese gets an answer", "une question en chinois reçoit une réponse"),
    "QW-05": ("the server is ready", "le serveur est prêt"),
    "QW-06": ("the settings can be used", "la configuration est utilisable"),
    "QW-07": ("nothing leaves this machine", "rien ne quitte cette machine"),
    "QW-08": ("the answer is in a whole log", "la réponse est dans un journal intact"),
    "QW-09": ("guards refuse what they must", "les gardes refusent ce qu'ils doivent"),
    "QW-10": ("fast enough", "assez rapide"),
}
OUTCOMES: Final[dict[str, tuple[str, str]]] = {
    "pass": ("pass", "réussi"),
    "fail": ("FAIL", "ÉCHEC"),
    "not_applicable": ("not applicable", "sans objet"),
}
TO_DO: Final = ("to do", "à faire")
TOTAL: Final = (
    "{passed} passed, {failed} failed, {other} not applicable",
    "{passed} réussis, {failed} en échec, {other} sans objet",
)

EVIDENCE: Final[dict[str, tuple[str, str]]] = {
    "processor": ("{cores} cores with {features}", "{cores} cœurs avec {features}"),
    "processor_slow": (
        "{cores} cores with {features}: neither AVX2 nor NEON",
        "{cores} cœurs avec {features} : ni AVX2 ni NEON",
    ),
    "model_here": ("{model}: {path}, {size:size}", "{model} : {path}, {size:size}"),
    "model_missing": ("{detail}", "{detail}"),
    "memory": (
        "needs {need:size} with {context} tokens of context; there is room for {room:size}",
        "demande {need:size} pour un contexte de {context} jetons ; il y a place pour {room:size}",
    ),
    "memory_short": (
        "needs {need:size} with {context} tokens of context; there is room for {room:size} only",
        "demande {need:size} pour un contexte de {context} jetons ; il n'y a place que pour {room:size}",
    ),
    "licence": ("licence {licence}, open", "licence {licence}, ouverte"),
    "licence_terms": ("licence {licence}, not open ({terms})", "licence {licence}, non ouverte ({terms})"),
    "licence_unknown": (
        "a file of your own (MODEL_PATH): its licence is not known here",
        "un fichier à vous (MODEL_PATH) : sa licence n'est pas connue ici",
    ),
    "hash": ("SHA-256 {actual}, as in {by}", "SHA-256 {actual}, comme dans {by}"),
    "hash_wrong": (
        "{path} has SHA-256 {actual}; {by} says {expected}",
        "{path} a le SHA-256 {actual} ; {by} dit {expected}",
    ),
    "hash_unreadable": ("{path} cannot be read: {detail}", "{path} ne peut être lu : {detail}"),
    "host": (
        "process {pid} answers on {socket} with these weights, to this user alone",
        "le processus {pid} répond sur {socket} avec ces poids, à cet utilisateur seul",
    ),
    "host_own": (
        "none was running; one started for the check answered with these weights, and was ended after it",
        "aucun n'était en marche ; un processus lancé pour la vérification a répondu avec ces poids, puis a été arrêté",
    ),
    "host_silent": ("it did not start: {detail}", "il n'a pas démarré : {detail}"),
    "host_wrong": ("process {pid} on {socket}: {detail}", "processus {pid} sur {socket} : {detail}"),
    "host_open": (
        "{socket} has mode {mode}: others may open it",
        "{socket} a le mode {mode} : d'autres peuvent l'ouvrir",
    ),
    "answered_chat": (
        "through /chat: {tokens} tokens, {chars} characters, {ms} ms",
        "par /chat : {tokens} jetons, {chars} caractères, {ms} ms",
    ),
    "answered_probe": (
        "from the model host, with a record before: {tokens} tokens, {chars} characters, {ms} ms",
        "du processus du modèle, avec un enregistrement préalable : {tokens} jetons, {chars} caractères, {ms} ms",
    ),
    "empty_answer": (
        "the answer is empty ({tokens} tokens, {ms} ms)",
        "la réponse est vide ({tokens} jetons, {ms} ms)",
    ),
    "no_answer_came": ("no answer: {code} {detail}", "aucune réponse : {code} {detail}"),
    "ready": ("/health and /ready say 200", "/health et /ready disent 200"),
    "not_ready": (
        "/health says {health}, /ready {ready}; not well: {bad}",
        "/health dit {health}, /ready {ready} ; en défaut : {bad}",
    ),
    "door": ("/ai/local/qwen/generate answered in {ms} ms", "/ai/local/qwen/generate a répondu en {ms} ms"),
    "door_failed": ("/ai/local/qwen/generate: {code} {detail}", "/ai/local/qwen/generate : {code} {detail}"),
    "settings": ("settings read: mode {mode}, backend {backend}", "configuration lue : mode {mode}, moteur {backend}"),
    "settings_bad": ("{detail}", "{detail}"),
    "policy": ("{file}: revision {revision}", "{file} : révision {revision}"),
    "policy_bad": ("{file}: {detail}", "{file} : {detail}"),
    "registry": ("{file}: {count} models", "{file} : {count} modèles"),
    "backends": ("backends that can be used: {names}", "moteurs utilisables : {names}"),
    "config_bad": ("{detail}", "{detail}"),
    "sockets": (
        (
            "{sockets} sockets of {processes} processes of the server, looked at {looks} times over {seconds} s: none "
            "reaches beyond loopback; listening: {listening}"
        ),
        (
            "{sockets} sockets de {processes} processus du serveur, vues {looks} fois en {seconds} s : aucune ne "
            "dépasse la boucle locale ; en écoute : {listening}"
        ),
    ),
    "sockets_host": (
        (
            "no server; sockets of the model host: {sockets}, looked at {looks} times over {seconds} s: none reaches "
            "beyond loopback; listening: {listening}"
        ),
        (
            "aucun serveur en marche ; {sockets} sockets du processus du modèle, vues {looks} fois en {seconds} s : "
            "aucune ne dépasse la boucle locale ; en écoute : {listening}"
        ),
    ),
    "sockets_leave": (
        "of {sockets} sockets of {processes} processes these reach beyond loopback, or cannot be read: {which}",
        "sur {sockets} sockets de {processes} processus, celles-ci dépassent la boucle locale ou se cachent : {which}",
    ),
    "untraced": (
        "what answers on port {port} is not the server of this home, or its processes cannot be seen",
        "ce qui répond sur le port {port} n'est pas le serveur de ce dossier, ou ses processus sont invisibles",
    ),
    "no_proc": ("sockets are read from Linux's /proc", "les sockets sont lues dans le /proc de Linux"),
    "bound": ("serves {host}:{port}", "sert {host}:{port}"),
    "bound_open": (
        "serves {host}:{port}, which others can reach",
        "sert {host}:{port}, que d'autres peuvent atteindre",
    ),
    "no_remote": ("no remote backend is configured", "aucun moteur distant n'est configuré"),
    "remote": ("remote backends are configured: {names}", "des moteurs distants sont configurés : {names}"),
    "witnesses": ("{count} witnesses are sent checkpoints", "{count} témoins reçoivent des points de contrôle"),
    "offline": (
        "HF_HUB_OFFLINE=1: the hub is asked nothing",
        "HF_HUB_OFFLINE=1 : rien n'est demandé au dépôt de modèles",
    ),
    "online": ("{hub} may be asked for models", "{hub} peut être interrogé pour des modèles"),
    "closed_files": (
        "{count} files and directories, none open to others: {places}",
        "{count} fichiers et dossiers, aucun ouvert à d'autres : {places}",
    ),
    "open_files": (
        "{count} files or directories are open to others, or are another user's: {files}",
        "{count} fichiers ou dossiers sont ouverts à d'autres, ou à un autre utilisateur : {files}",
    ),
    "no_home": ("nothing was ever served from {home}", "rien n'a encore été servi depuis {home}"),
    "no_log": ("this home has no log yet", "ce dossier n'a pas encore de journal"),
    "log_whole": ("{folder}: {size} records, all verified", "{folder} : {size} enregistrements, tous vérifiés"),
    "log_broken": ("the log does not verify: {codes}", "le journal ne se vérifie pas : {codes}"),
    "log_unreadable": ("the log cannot be checked: {detail}", "le journal ne peut être vérifié : {detail}"),
    "answer_logged": (
        "{record} is line {index} of the log, in {file}; its receipt verifies, question and answer included",
        "{record} est la ligne {index} du journal, dans {file} ; son reçu se vérifie, question et réponse comprises",
    ),
    "probe_logged": (
        "the question's record is in the log ({size} records, newest file {file})",
        "l'enregistrement de la question est au journal ({size} enregistrements, fichier le plus récent {file})",
    ),
    "receipt_bad": (
        "the answer's receipt does not verify: {codes}",
        "le reçu de la réponse ne se vérifie pas : {codes}",
    ),
    "not_logged": (
        "the log has no such record (newest file {file})",
        "le journal n'a pas cet enregistrement (fichier le plus récent {file})",
    ),
    "no_answer": ("there was no answer to look for", "il n'y a pas eu de réponse à chercher"),
    "guards": (
        "the policy's guards refuse {refused} attacks and let {let} innocent texts through",
        "les gardes refusent {refused} attaques et laissent passer {let} textes innocents",
    ),
    "guards_weak": (
        "let through: {through}; refused though innocent: {wrong}",
        "laissées passer : {through} ; refusés à tort : {wrong}",
    ),
    "refused": (
        "the server refused an attack: {code}, {decision}",
        "le serveur a refusé une attaque : {code}, {decision}",
    ),
    "not_refused": ("the server did not refuse an attack: {code}", "le serveur n'a pas refusé une attaque : {code}"),
    "first_piece": (
        "first piece after {p50} ms (p50), {p95} ms (p95 of {rounds}); at most {limit} ms",
        "premier morceau après {p50} ms (p50), {p95} ms (p95 sur {rounds}) ; au plus {limit} ms",
    ),
    "first_late": (
        "first piece after {p50} ms (p50), {p95} ms (p95 of {rounds}); more than {limit} ms",
        "premier morceau après {p50} ms (p50), {p95} ms (p95 sur {rounds}) ; plus de {limit} ms",
    ),
    "speed": (
        "{rate} tokens a second, answers of up to {tokens} tokens; at least {limit}",
        "{rate} jetons par seconde, réponses d'au plus {tokens} jetons ; au moins {limit}",
    ),
    "slow": (
        "{rate} tokens a second, answers of up to {tokens} tokens; fewer than {limit}",
        "{rate} jetons par seconde, réponses d'au plus {tokens} jetons ; moins de {limit}",
    ),
    "too_short": ("the answers are too short to tell a speed", "les réponses sont trop courtes pour une vitesse"),
    "needs_settings": ("the settings cannot be read", "la configuration est illisible"),
    "needs_model": ("there is no model file", "il n'y a pas de fichier de modèle"),
    "needs_server": ("no server answers for this home", "aucun serveur ne répond pour ce dossier"),
    "needs_key": ("no API key was given", "aucune clé d'API n'a été donnée"),
    "other_backend": ("{backend} serves its own model", "{backend} sert son propre modèle"),
}

ADVICE: Final[dict[str, tuple[str, str]]] = {
    "processor_slow": (
        "expect less than half the speed; use a smaller model or another machine",
        "attendez-vous à moins de la moitié de la vitesse ; prenez un modèle plus petit ou une autre machine",
    ),
    "model_missing": ("{command}", "{command}"),
    "memory_short": (
        "filagent models select --explain, or a smaller CONTEXT_SIZE",
        "filagent models select --explain, ou un CONTEXT_SIZE plus petit",
    ),
    "licence_terms": (
        "have somebody read the licence and decide, or choose another model",
        "faites lire la licence et décider, ou choisissez un autre modèle",
    ),
    "licence_unknown": ("keep its licence with the file", "gardez sa licence avec le fichier"),
    "hash_wrong": (
        "find out who changed it; remove it, then filagent models pull",
        "cherchez qui l'a modifié ; supprimez-le, puis filagent models pull",
    ),
    "hash_unreadable": ("mend the file's permissions or the disk", "réparez les permissions du fichier ou le disque"),
    "host_silent": ("see the reason; filagent models check", "voyez la raison ; filagent models check"),
    "host_wrong": ("restart the server", "redémarrez le serveur"),
    "host_open": ("restart the server", "redémarrez le serveur"),
    "empty_answer": ("filagent backends check", "filagent backends check"),
    "no_answer_came": (
        "docs/errors.md has the code; filagent backends check",
        "docs/errors.md contient le code ; filagent backends check",
    ),
    "not_ready": ("look at the server's own output", "regardez la sortie du serveur"),
    "door_failed": ("docs/errors.md has the code", "docs/errors.md contient le code"),
    "settings_bad": (
        "mend config/agent.yaml, .env or the environment",
        "corrigez config/agent.yaml, .env ou l'environnement",
    ),
    "policy_bad": ("filagent policy check", "filagent policy check"),
    "config_bad": ("mend what is named", "corrigez ce qui est nommé"),
    "sockets_leave": (
        "find out what those sockets are for; end those processes",
        "cherchez à quoi servent ces sockets ; arrêtez ces processus",
    ),
    "untraced": (
        "run this as the user of the server, with its FILAGENT_HOME and SERVER_PORT",
        "lancez ceci avec l'utilisateur du serveur, son FILAGENT_HOME et son SERVER_PORT",
    ),
    "no_proc": ("watch the server with the system's own tools", "observez le serveur avec les outils du système"),
    "bound_open": ("SERVER_HOST=127.0.0.1", "SERVER_HOST=127.0.0.1"),
    "remote": (
        "LLM_BACKEND=llama.cpp, and `enabled: false` for the others",
        "LLM_BACKEND=llama.cpp, et `enabled: false` pour les autres",
    ),
    "witnesses": (
        "remove evidence.witnesses, or accept that hashes go to them",
        "retirez evidence.witnesses, ou acceptez que des empreintes leur parviennent",
    ),
    "online": (
        "HF_HUB_OFFLINE=1 in .env, once the model is here",
        "HF_HUB_OFFLINE=1 dans .env, une fois le modèle présent",
    ),
    "open_files": (
        "chmod -R go= on them, and chown them to the service",
        "chmod -R go= sur ceux-ci, et chown vers le service",
    ),
    "no_home": ("make run", "make run"),
    "no_log": ("make run", "make run"),
    "log_broken": (
        "filagent verify; docs/operations.md, “A damaged log”",
        "filagent verify ; docs/operations.md, « A damaged log »",
    ),
    "log_unreadable": ("filagent verify", "filagent verify"),
    "receipt_bad": ("filagent verify --receipt", "filagent verify --receipt"),
    "not_logged": ("stop the server and find out: filagent verify", "arrêtez le serveur et cherchez : filagent verify"),
    "no_answer": ("see QW-04", "voyez QW-04"),
    "too_short": ("filagent bench", "filagent bench"),
    "guards_weak": (
        "compare config/policies.yaml with the shipped one",
        "comparez config/policies.yaml avec celui qui est livré",
    ),
    "not_refused": (
        "see the guards in the policy that the server was started with",
        "voyez les gardes de la politique avec laquelle le serveur a démarré",
    ),
    "first_late": (
        "a smaller model, a GPU, or fewer callers at once",
        "un modèle plus petit, un GPU, ou moins d'appels simultanés",
    ),
    "slow": (
        "a smaller model, a GPU, or fewer callers at once",
        "un modèle plus petit, un GPU, ou moins d'appels simultanés",
    ),
    "needs_settings": ("see QW-06", "voyez QW-06"),
    "needs_model": ("see QW-01", "voyez QW-01"),
    "needs_server": ("make run, then this once more", "make run, puis ceci à nouveau"),
    "needs_key": ("set FILAGENT_API_KEY (filagent keys create)", "définissez FILAGENT_API_KEY (filagent keys create)"),
    "other_backend": ("filagent backends check {backend}", "filagent backends check {backend}"),
}
