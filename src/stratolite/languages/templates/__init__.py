"""Templates: CloudFormation's language, from its text to what it asks for."""

from .errors import Path, TemplateError
from .intrinsics import NO_VALUE, Scope, evaluate, prune
from .parameters import Parameter
from .references import check, check_functions, dependencies, present
from .template import Output, Resource, Template, transforms
from .text import line_of, parse

__all__ = [
    "NO_VALUE",
    "Output",
    "Parameter",
    "Path",
    "Resource",
    "Scope",
    "Template",
    "TemplateError",
    "check",
    "check_functions",
    "dependencies",
    "evaluate",
    "line_of",
    "parse",
    "present",
    "prune",
    "transforms",
]
