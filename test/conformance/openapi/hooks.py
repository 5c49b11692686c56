"""Checks that know what no schema can say. Each is Schemathesis's own, with the one exception that it names."""

import json
import os

import schemathesis
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance, use_after_free

# What was kept is forgotten, or good no more, and the list is still there: an empty one, or one that says so.
EMPTIED = ("/credentials", "/access-keys")

# Of what is there, by the beginning of the path: every other made-up name becomes this one, so that more is found than 404.
KNOWN = json.loads(os.environ.get("KNOWN", "{}"))


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    for name, value in KNOWN.get(context.operation.path, {}).items():
        made_up = (path_parameters or {}).get(name)
        if isinstance(made_up, str) and 0 < len(made_up) < 500 and sum(made_up.encode()) % 2 == 0:
            path_parameters[name] = value
    return path_parameters


# Whoever asks, and who takes the place of that name in a path: it is learnt from answers, and a run that invites itself anew or
# shuts itself out finds nothing more.
OWN, OTHER = os.environ.get("OWN"), os.environ.get("OTHER")


@schemathesis.hook
def before_call(context, case, kwargs):
    for name, value in (case.path_parameters or {}).items():
        if value == OWN:
            case.path_parameters[name] = OTHER


@schemathesis.check
def right_requests_are_taken(ctx, response, case):
    # A cursor is what a list has given for its next page, so that one that was made up is refused.
    if response.status_code == 400 and "cursor" in (case.query or {}) and "cursor" in response.json()["detail"]:
        return None
    return positive_data_acceptance(ctx, response, case)


@schemathesis.check
def wrong_requests_are_refused(ctx, response, case):
    # Its answer is what is wrong with the document.
    if case.operation.path == "/v1/cloudlets/validate" and response.status_code == 200 and response.json()["valid"] is False:
        return None
    return negative_data_rejection(ctx, response, case)


@schemathesis.check
def what_is_deleted_is_gone(ctx, response, case):
    if case.operation.path.endswith(EMPTIED) and response.status_code == 200:
        return None
    return use_after_free(ctx, response, case)
