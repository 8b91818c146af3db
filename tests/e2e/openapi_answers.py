"""Answers held against OpenAPI files: every status, header, media type and body that a program
gives has to be declared for its operation, and nothing may be in a body that is not."""

import json
import re
import sys
from collections import Counter
from pathlib import Path

import jsonschema
import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.append(str(ROOT / "tests/structure"))
import docs_openapi  # noqa: E402

PROBLEM = "application/problem+json"
FORMATS = {
    "date-time": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z",
    "uuid": r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
    "byte": r"([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?",
}


def format_checker():
    checker = jsonschema.FormatChecker(formats=())
    for name, pattern in FORMATS.items():
        checker.checks(name)(lambda value, pattern=pattern: not isinstance(value, str)
                             or re.fullmatch(pattern, value) is not None)
    return checker


def problem_causes():
    """Cause to status, from the one list of the program."""
    text = (ROOT / "control/json/problem.h").read_text()
    return {cause: int(status) for cause, status in re.findall(r"X\((\w+), (\d+), \"", text)}


def closed(schema):
    """The schema, refusing members that it does not name."""
    if not isinstance(schema, dict):
        return schema
    schema = {key: ({k: closed(v) for k, v in value.items()} if key == "properties"
                    else [closed(v) for v in value] if key in ("allOf", "oneOf", "anyOf")
                    else closed(value) if key in ("items", "additionalProperties") else value)
              for key, value in schema.items()}
    if "properties" in schema:
        schema.setdefault("additionalProperties", False)
    return schema


class Operation:
    def __init__(self, checker, method, template, declared):
        self.checker, self.method, self.template = checker, method, template
        self.name, self.declared = declared["operationId"], declared

    def request_schema(self):
        """Of the body, references filled in; None without a body."""
        content = self.declared.get("requestBody", {}).get("content", {})
        for body in content.values():
            return self.checker.plain("", body["schema"])
        return None


class Contract:
    def __init__(self, *documents):
        """documents: paths of OpenAPI files in YAML, or what is in one."""
        self.operations, self.templates = [], {}
        self.causes, self.formats = problem_causes(), format_checker()
        self.seen, self.by_default = Counter(), Counter()
        for document in documents:
            if isinstance(document, Path):
                document = yaml.load(document.read_text(), Loader=docs_openapi.UniqueKeys)
            self.add(document)

    def add(self, document):
        checker = docs_openapi.Checker(document)
        for template, item in document["paths"].items():
            for method in sorted(set(item) & docs_openapi.METHODS):
                operation = Operation(checker, method.upper(), template, item[method])
                self.operations.append(operation)
                self.templates.setdefault(template, {})[method.upper()] = operation

    def operation(self, name):
        return next(o for o in self.operations if o.name == name)

    def template_of(self, path):
        """Literal segments come before variable ones."""
        path = path.split("?")[0]
        found = [t for t in self.templates if re.fullmatch(
            re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(t)), path)]
        return min(found, key=lambda t: t.count("{"), default=None)

    # ---- Answers

    def breaches(self, method, path, answer):
        """What is wrong about an answer, a list of texts."""
        template = self.template_of(path)
        if answer.status < 0:
            return []
        if template is None:
            expected = 404
        elif method not in self.templates[template]:
            expected = 405
        else:
            return self.of_operation(self.templates[template][method], answer)
        found = self.problem(answer)
        if answer.status not in (expected, 400, 414, 431):
            found.append(f"status {answer.status}, not {expected}, for what is not declared")
        if expected == 405 and answer.status == 405:
            allowed = {m.strip() for m in answer.headers.get("allow", "").split(",")}
            if allowed != set(self.templates[template]):
                found.append(f"allow is {allowed}, declared are {set(self.templates[template])}")
        return found

    def of_operation(self, operation, answer):
        responses = operation.declared["responses"]
        key = str(answer.status)
        self.seen[operation.name, key] += 1
        if key not in responses:
            self.by_default[operation.name, key] += 1
            key = "default"
            if key not in responses or answer.status < 400:
                return [f"{operation.name}: {answer.status} is not declared"]
        response = operation.checker.resolve("", responses[key])
        found = self.content(operation, response, answer)
        for name in response.get("headers", {}):
            wanted = answer.status == 201 if name == "Location" else answer.status in (429, 503)
            if wanted and name.lower() not in answer.headers:
                found.append(f"no header {name}")
        if answer.status >= 400:
            found += self.problem(answer)
        return [f"{operation.name} {answer.status}: {text}" for text in found]

    def content(self, operation, response, answer):
        content = response.get("content", {})
        if not content:
            return ["a body that is not declared"] if answer.body else []
        if answer.media_type not in content:
            return [f"media type {answer.media_type!r} is not declared"]
        if answer.media_type not in ("application/json", PROBLEM, "application/x-ndjson"):
            return []
        schema = closed(operation.checker.plain("", content[answer.media_type]["schema"]))
        validator = jsonschema.Draft4Validator(schema, format_checker=self.formats)
        if answer.media_type == "application/x-ndjson":
            values = [json.loads(line) for line in answer.text.splitlines()[:50]]
        else:
            values = [answer.json]
        return [f"{error.message[:200]} (at /{'/'.join(map(str, error.path))})"
                for value in values for error in validator.iter_errors(value)]

    def problem(self, answer):
        """What every error has to be."""
        problem = answer.json
        if answer.media_type != PROBLEM or not isinstance(problem, dict):
            return [f"{answer.status} is no ProblemDetails: {answer}"]
        cause = problem.get("cause")
        found = []
        if self.causes.get(cause) != answer.status or problem.get("status") != answer.status:
            found.append(f"cause {cause} or status {problem.get('status')} with {answer.status}")
        if cause in ("MANDATORY_IE_INCORRECT", "MANDATORY_IE_MISSING", "OPTIONAL_IE_INCORRECT",
                     "UNKNOWN_IE", "NOT_BUILT") and not problem.get("invalidParams"):
            found.append(f"no invalidParams with {cause}: {answer}")
        return found

    def report(self):
        """Operations and statuses seen, and what is declared and was not."""
        lines = []
        for operation in self.operations:
            seen = sorted(s for (name, s) in self.seen if name == operation.name)
            missing = sorted(set(operation.declared["responses"]) - set(seen) - {"default"})
            lines.append(f"{operation.name}: {' '.join(seen) or 'not asked'}"
                         + (f" (never: {' '.join(missing)})" if missing else ""))
        return lines
