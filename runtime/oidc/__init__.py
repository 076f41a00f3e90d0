"""Tokens of an OpenID provider: read strictly, verified, judged. Standard library, joserfc and httpx2 only.

An island like `runtime.audit`: the API verifies access tokens with it, the console the id tokens of a sign-in. Who a
verified token is here, and what he may do, is `runtime.auth`'s business and the policy's.
"""
