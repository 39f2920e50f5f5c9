"""docs/openapi.yaml is what it seems to be: no key twice or without a value, no reference into nothing."""

import os
import sys
import unittest
from pathlib import Path

import jsonschema
import yaml

REPO = Path(os.environ["HONGYAN_REPO"])
sys.dont_write_bytecode = True
sys.path.insert(0, str(REPO / "tests" / "e2e"))

from openapi import OpenApi, load  # noqa: E402


def dictionaries(node):
    if isinstance(node, dict):
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from dictionaries(child)


class OpenApiTest(unittest.TestCase):
    def setUp(self):
        self.api = OpenApi()

    def test_a_comma_without_quotes_and_a_key_twice_are_refused(self):
        self.assertEqual(load('{description: "Up to 128 bytes, no NUL."}'), {"description": "Up to 128 bytes, no NUL."})
        for text in ("{description: Up to 128 bytes, no NUL.}", "a: 1\na: 2"):
            with self.subTest(text), self.assertRaises(yaml.constructor.ConstructorError):
                load(text)

    def test_references_lead_somewhere(self):
        references = [node["$ref"] for node in dictionaries(self.api.document) if "$ref" in node]
        self.assertGreater(len(references), 20)
        for reference in references:
            with self.subTest(reference):
                node = self.api.document
                for step in reference.removeprefix("#/").split("/"):
                    node = node[step]

    def test_schemas_are_schemas(self):
        for name, schema in self.api.document["components"]["schemas"].items():
            with self.subTest(name):
                jsonschema.Draft202012Validator.check_schema(schema)

    def test_every_operation_has_a_name_of_its_own_and_an_answer_for_errors(self):
        names = [operation["operationId"] for operation in self.api.operations.values()]
        self.assertEqual(len(names), len(set(names)))
        for operation in self.api.operations.values():
            with self.subTest(operation["operationId"]):
                self.assertIn("default", operation["responses"])


if __name__ == "__main__":
    unittest.main()
