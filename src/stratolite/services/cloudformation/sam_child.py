"""The SAM transform in a process of its own: a JSON line in, a JSON line out, until end of file.

Importing the translator costs half a second and 42 MB; the server pays neither. Run as a script, not imported.
"""

import json
import sys
from types import SimpleNamespace


def main() -> None:
    answers = sys.stdout
    sys.stdout = sys.stderr  # whatever a library prints must not be taken for an answer
    from samtranslator.model.exceptions import InvalidDocumentException
    from samtranslator.parser.parser import Parser
    from samtranslator.translator.translator import Translator

    for line in sys.stdin:
        request = json.loads(line)
        try:
            translator = Translator({}, Parser(), boto_session=SimpleNamespace(region_name=request["region"]))
            found = translator.translate(sam_template=request["document"], parameter_values=request["parameters"])
            answer = {"document": found}
        except InvalidDocumentException as error:
            answer = {"error": " ".join([error.message, *(cause.message for cause in error.causes)])}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer, default=str) + "\n")
        answers.flush()


main()
