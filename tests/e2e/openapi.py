"""docs/openapi.yaml, to hold real calls and answers against."""

import json
import os
import re
from pathlib import Path

import jsonschema
import yaml

REPO = Path(os.environ["HONGYAN_REPO"])


class StrictLoader(yaml.SafeLoader):
    """Refuses what YAML takes without a word: a key that comes twice, and a key without a value, which is what becomes
    of a comma in a text that lacks its quotes."""

    def construct_mapping(self, node, deep=False):
        mapping = super().construct_mapping(node, deep=deep)
        keys = [key.value for key, _ in node.value]
        wrong = {key for key in keys if keys.count(key) > 1} | {key for key, value in mapping.items() if value is None}
        if wrong:
            raise yaml.constructor.ConstructorError(None, None, f"twice, or without a value: {sorted(wrong)}",
                                                    node.start_mark)
        return mapping


def load(text: str) -> dict:
    return yaml.load(text, StrictLoader)


class OpenApi:
    def __init__(self):
        self.document = load((REPO / "docs" / "openapi.yaml").read_text(encoding="utf-8"))
        self.operations = {(method.upper(), path): operation for path, methods in self.document["paths"].items()
                           for method, operation in methods.items()}
        self.seen: set[tuple[str, str, int]] = set()  # method, path, status

    def _resolve(self, node: dict) -> dict:
        while "$ref" in node:
            ref, node = node["$ref"], self.document
            for step in ref.removeprefix("#/").split("/"):
                node = node[step]
        return node

    def _check(self, holder: dict, value) -> None:
        schema = holder["content"]["application/json"]["schema"]
        # The document's own references start at its root.
        jsonschema.validate(value, schema | {"components": self.document["components"]},
                            cls=jsonschema.Draft202012Validator)

    def check(self, method: str, target: str, body, status: int, answer) -> None:
        """A call and its answer. Of a call that was answered with 200, the request fits too."""
        path = target.partition("?")[0]
        [name] = [name for verb, name in self.operations
                  if verb == method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", name), path)]
        operation = self.operations[method, name]
        self.seen.add((method, name, status))
        response = operation["responses"].get(str(status)) or operation["responses"]["default"]
        self._check(self._resolve(response), answer)
        if status == 200 and body:
            self._check(operation["requestBody"], json.loads(body))

    def unseen(self, statuses: tuple[int, ...]) -> list:
        """Operations that were never answered with one of these."""
        return [(*operation, status) for operation in self.operations for status in statuses
                if (*operation, status) not in self.seen]


def routes_of_server() -> dict[tuple[str, str], str]:
    """The server's own table: (method, path) to right."""
    table = (REPO / "logic" / "api" / "server_api.cpp").read_text()
    rows = re.findall(r'ApiCall\{http::Method::k(\w+), "([^"]+)", Right::k(\w+),', table)
    return {(method.upper(), path): right.lower() for method, path, right in rows}
