"""Asks other people's libraries about our documents: judge.py spdx|trestle|oscal-validate|statement FILE...; prints a list of problems per file.

Each library is asked for all that it can find: form, references, and where it has it the standard's own constraints.
"""

import json
import sys


def spdx(path):
    from spdx_tools.spdx.parser.error import SPDXParsingError
    from spdx_tools.spdx.parser.json.json_parser import parse_from_file
    from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

    try:
        document = parse_from_file(path)
    except SPDXParsingError as error:
        return list(error.get_messages())
    return [message.validation_message for message in validate_full_spdx_document(document, "SPDX-2.3")]


def trestle(path):
    from pydantic.v1 import ValidationError
    from trestle.oscal.assessment_results import Model

    try:
        Model.parse_obj(read(path))
    except ValidationError as error:
        return ["%s: %s" % (each["loc"], each["msg"]) for each in error.errors()]
    return []


def oscal_validate(path):
    """ERROR and WARNING alone: what it can't check, such as controls of NIST's catalogue, it says as UNVERIFIABLE."""
    import subprocess

    run = subprocess.run([sys.prefix + "/bin/oscal-validate", "--format", "json", path], capture_output=True, text=True)
    findings = json.loads(run.stdout)["findings"]
    # It judges by 1.2.3 whatever a document declares, and says so of each that declares another.
    return [
        "%s %s" % (each["code"], each["location"])
        for each in findings
        if each["severity"] in ("ERROR", "WARNING") and each["code"] != "OSCAL_VERSION_DIFFERS"
    ]


def statement(path):
    """Statement and predicate by in-toto's own messages, which take no field that they do not have."""
    from google.protobuf import json_format
    from in_toto_attestation.predicates.provenance.v1 import provenance_pb2
    from in_toto_attestation.v1 import statement_pb2
    from in_toto_attestation.v1.statement import Statement

    try:
        message = json_format.ParseDict(read(path), statement_pb2.Statement())
        Statement.copy_from_pb(message).validate()
        json_format.ParseDict(read(path)["predicate"], provenance_pb2.Provenance())
    except (json_format.ParseError, ValueError) as error:
        return [str(error)]
    return []


def read(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


if __name__ == "__main__":
    judge = {"spdx": spdx, "trestle": trestle, "oscal-validate": oscal_validate, "statement": statement}[sys.argv[1]]
    print(json.dumps([judge(path) for path in sys.argv[2:]]))
