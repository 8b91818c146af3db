"""A compact check of an OpenAPI 3.0 file: structure, references, operations, schemas, examples."""

import copy
import re

import jsonschema
import yaml

METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
OPERATION = {"tags", "summary", "description", "externalDocs", "operationId", "parameters",
             "requestBody", "responses", "callbacks", "deprecated", "security", "servers"}
SCHEMA = {"title", "multipleOf", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum",
          "maxLength", "minLength", "pattern", "maxItems", "minItems", "uniqueItems",
          "maxProperties", "minProperties", "required", "enum", "type", "allOf", "oneOf", "anyOf",
          "not", "items", "properties", "additionalProperties", "description", "format", "default",
          "nullable", "discriminator", "readOnly", "writeOnly", "xml", "externalDocs", "example",
          "deprecated"}
TOP = {"openapi", "info", "servers", "paths", "components", "security", "tags", "externalDocs"}
COMPONENTS = {"schemas", "responses", "parameters", "examples", "requestBodies", "headers",
              "securitySchemes", "links", "callbacks"}


class UniqueKeys(yaml.SafeLoader):
    """YAML without dates (JSON has none), which refuses a key that stands twice."""

    def construct_mapping(self, node, deep=False):
        keys = [key.value for key, _ in node.value]
        for key in set(keys):
            if keys.count(key) > 1:
                raise yaml.YAMLError(f"{key} stands twice, line {node.start_mark.line + 1}")
        return super().construct_mapping(node, deep)


UniqueKeys.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()}


class Checker:
    def __init__(self, document):
        self.document = document
        self.found = []
        self.operation_ids = {}
        self.used = set()

    def breach(self, where, text):
        self.found.append(f"{where}: {text}")

    def resolve(self, where, node):
        """What a node stands for, through references."""
        for _ in range(16):
            if not isinstance(node, dict) or "$ref" not in node:
                return node
            ref = node["$ref"]
            if len(node) > 1:
                self.breach(where, f"members beside $ref {ref} are ignored")
            self.used.add(ref)
            if not ref.startswith("#/"):
                self.breach(where, f"{ref} is not of this file")
                return {}
            node = self.document
            for part in ref[2:].split("/"):
                part = part.replace("~1", "/").replace("~0", "~")
                if not isinstance(node, dict) or part not in node:
                    self.breach(where, f"{ref} is not there")
                    return {}
                node = node[part]
        self.breach(where, "references go round")
        return {}

    def members(self, where, node, required, known=None):
        if not isinstance(node, dict):
            self.breach(where, "should be an object")
            return False
        for name in required:
            if name not in node:
                self.breach(where, f"{name} is missing")
        for name in node:
            if known and name not in known and not str(name).startswith("x-"):
                self.breach(where, f"{name} is not known")
        return True

    # ---- Schemas

    def schema(self, where, schema):
        if isinstance(schema, dict) and "$ref" in schema:
            self.resolve(where, schema)
            return
        if not self.members(where, schema, (), SCHEMA):
            return
        if schema.get("type") == "array" and "items" not in schema:
            self.breach(where, "an array needs items")
        for name in schema.get("required", ()):
            if "properties" in schema and name not in schema["properties"]:
                self.breach(where, f"required {name} is no property")
        for name, sub in schema.get("properties", {}).items():
            self.schema(f"{where}/{name}", sub)
        for kind in ("allOf", "oneOf", "anyOf"):
            for i, sub in enumerate(schema.get(kind, ())):
                self.schema(f"{where}/{kind}/{i}", sub)
        for kind in ("items", "not", "additionalProperties"):
            if isinstance(schema.get(kind), dict):
                self.schema(f"{where}/{kind}", schema[kind])
        try:
            jsonschema.Draft4Validator.check_schema(self.plain(where, schema))
        except jsonschema.SchemaError as error:
            self.breach(where, error.message)
            return
        for kind in ("example", "default"):
            if kind in schema:
                self.example(f"{where}/{kind}", schema, schema[kind])

    def plain(self, where, schema, depth=0):
        """The schema with references filled in and OpenAPI's own words turned into JSON schema's."""
        schema = copy.copy(self.resolve(where, schema))
        if depth > 24 or not isinstance(schema, dict):
            return {}
        for word in ("example", "default", "discriminator", "xml", "externalDocs"):
            schema.pop(word, None)
        if "properties" in schema:
            schema["properties"] = {name: self.plain(where, sub, depth + 1)
                                    for name, sub in schema["properties"].items()}
        for kind in ("allOf", "oneOf", "anyOf"):
            if kind in schema:
                schema[kind] = [self.plain(where, sub, depth + 1) for sub in schema[kind]]
        for kind in ("items", "not", "additionalProperties"):
            if isinstance(schema.get(kind), dict):
                schema[kind] = self.plain(where, schema[kind], depth + 1)
        if schema.pop("nullable", False) and "type" in schema:
            schema["type"] = [schema["type"], "null"]
        return schema

    def example(self, where, schema, value):
        plain = self.plain(where, schema)
        for error in jsonschema.Draft4Validator(plain).iter_errors(value):
            self.breach(where, f"{error.message} (at /{'/'.join(map(str, error.path))})")

    # ---- Paths

    def content(self, where, content):
        for media, body in content.items():
            here = f"{where} {media}"
            if not self.members(here, body, ("schema",), {"schema", "example", "examples",
                                                          "encoding"}):
                continue
            self.schema(here, body.get("schema", {}))
            examples = [body["example"]] if "example" in body else []
            examples += [self.resolve(here, e).get("value")
                         for e in body.get("examples", {}).values()]
            for value in examples:
                if media == "application/x-ndjson":
                    for line in value.strip().splitlines():
                        self.example(here, body["schema"], yaml.safe_load(line))
                else:
                    self.example(here, body["schema"], value)

    def parameter(self, where, parameter, template):
        parameter = self.resolve(where, parameter)
        self.members(where, parameter, ("name", "in", "schema"))
        place, name = parameter.get("in"), parameter.get("name")
        if place not in ("path", "query", "header", "cookie"):
            self.breach(where, f"{name} is in {place}")
        if place == "path" and (not parameter.get("required") or f"{{{name}}}" not in template):
            self.breach(where, f"path parameter {name} is not required, or not in the path")
        self.schema(f"{where} {name}", parameter.get("schema", {}))
        return (place, name)

    def responses(self, where, responses):
        if not responses:
            self.breach(where, "no responses")
        for status, response in responses.items():
            here = f"{where} {status}"
            if not re.fullmatch(r"[1-5](\d\d|XX)|default", str(status)):
                self.breach(here, "is no status")
            response = self.resolve(here, response)
            self.members(here, response, ("description",), {"description", "headers", "content",
                                                            "links"})
            for name, header in response.get("headers", {}).items():
                self.schema(f"{here} {name}", self.resolve(here, header).get("schema", {}))
            self.content(here, response.get("content", {}))

    def operation(self, where, operation, template, shared):
        self.members(where, operation, ("operationId", "responses"), OPERATION)
        name = operation.get("operationId")
        if name in self.operation_ids:
            self.breach(where, f"operationId {name} is also that of {self.operation_ids[name]}")
        self.operation_ids[name] = where
        own = [self.parameter(where, p, template) for p in operation.get("parameters", ())]
        given = {n for place, n in own + shared if place == "path"}
        for part in set(re.findall(r"\{([^}]+)\}", template)) - given:
            self.breach(where, f"{{{part}}} of the path is not described")
        if len(set(own)) < len(own):
            self.breach(where, "a parameter stands twice")
        tags = {tag["name"] for tag in self.document.get("tags", ())}
        for tag in operation.get("tags", ()):
            if tags and tag not in tags:
                self.breach(where, f"tag {tag} is not described")
        body = self.resolve(where, operation.get("requestBody", {}))
        self.content(f"{where} request", body.get("content", {}))
        self.responses(where, operation.get("responses", {}))

    def paths(self):
        shapes = {}
        for template, item in self.document.get("paths", {}).items():
            if not template.startswith("/"):
                self.breach(template, "a path starts with /")
            shape = re.sub(r"\{[^}]+\}", "{}", template)
            if shape in shapes:
                self.breach(template, f"is the same path as {shapes[shape]}")
            shapes[shape] = template
            shared = [self.parameter(template, p, template) for p in item.get("parameters", ())]
            for method, operation in item.items():
                if method in METHODS:
                    self.operation(f"{method.upper()} {template}", operation, template, shared)
                elif method not in ("parameters", "summary", "description", "servers"):
                    self.breach(template, f"{method} is not known")

    def components(self):
        components = self.document.get("components", {})
        self.members("components", components, (), COMPONENTS)
        for name, schema in components.get("schemas", {}).items():
            self.schema(f"schema {name}", schema)
        for kind, things in components.items():
            for name in things:
                if f"#/components/{kind}/{name}" not in self.used and kind != "securitySchemes":
                    self.breach(f"{kind} {name}", "is used nowhere")


def breaches(path):
    """A list of texts; empty for a valid file."""
    try:
        document = yaml.load(path.read_text(encoding="utf-8"), Loader=UniqueKeys)
    except yaml.YAMLError as error:
        return [f"not YAML: {' '.join(str(error).split())}"]
    checker = Checker(document)
    if not checker.members("file", document, ("openapi", "info", "paths"), TOP):
        return checker.found
    if not re.fullmatch(r"3\.0\.\d", str(document.get("openapi"))):
        checker.breach("file", f"openapi {document.get('openapi')} is not 3.0")
    checker.members("info", document.get("info"), ("title", "version"))
    checker.paths()
    checker.components()
    return list(dict.fromkeys(checker.found))
