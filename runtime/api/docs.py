"""`/docs`: the API described on one page, made from the OpenAPI document by us.

No script, no style sheet and no font from elsewhere: opening it sends nothing to anybody.
"""

from __future__ import annotations

import json
from html import escape
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

router = APIRouter(include_in_schema=False)

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a}"
    "h1{margin-bottom:0}h2{margin-top:2.5rem;text-transform:capitalize}"
    "article{border-top:1px solid #ccc;padding:.6rem 0}"
    "code{background:#f2f2f2;padding:.1rem .3rem}b.method{display:inline-block;min-width:4.5rem}"
    "pre{background:#f7f7f7;padding:.8rem;overflow:auto;font-size:.85rem}"
    "@media(prefers-color-scheme:dark){body{background:#161616;color:#e8e8e8}code,pre{background:#262626}}"
)
_HEADERS = {"content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"}


@router.get("/docs")
async def docs(request: Request) -> HTMLResponse:
    return HTMLResponse(page(request.app.openapi()), headers=_HEADERS)


def page(document: dict[str, Any]) -> str:
    """The OpenAPI document as HTML."""
    info = document["info"]
    groups: dict[str, list[str]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            tag = (operation.get("tags") or ["other"])[0]
            groups.setdefault(tag, []).append(_operation(method, path, operation))
    sections = "".join(f"<section><h2>{escape(tag)}</h2>{''.join(items)}</section>" for tag, items in groups.items())
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        f"<title>{escape(info['title'])}</title><style>{_STYLE}</style>"
        f"<h1>{escape(info['title'])} <small>{escape(info['version'])}</small></h1><p>{escape(info['summary'])}. "
        "Authenticate with <code>Authorization: Bearer &lt;API key&gt;</code>. Errors are "
        "<code>application/problem+json</code> with a stable <code>code</code>. The machine-readable description is "
        f"<a href='/openapi.json'>/openapi.json</a>.</p>{sections}"
    )


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    parts = [f"<article><b class=method>{method.upper()}</b> <code>{escape(path)}</code>"]
    parts.append(f" {escape(operation.get('summary', ''))}")
    for parameter in operation.get("parameters", []):
        schema = json.dumps(parameter.get("schema", {}), ensure_ascii=False)
        parts.append(
            f"<br><small>{escape(parameter['in'])} <code>{escape(parameter['name'])}</code> {escape(schema)}</small>"
        )
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    if body:
        shown = json.dumps(body, indent=1, ensure_ascii=False)
        parts.append(f"<details><summary>Body</summary><pre>{escape(shown)}</pre></details>")
    return "".join((*parts, "</article>"))
