"""Every code a finding can have, with what it means and an example that makes it and one that does not.

Codes are stable: a number is never used for something else. Shown by the command line and the documentation; a test
checks that each example does what it says, and that no code is used that is not here.
"""

from __future__ import annotations

from specs.codes.code import Code
from specs.codes.fields import FIELDS
from specs.codes.files import FILES
from specs.codes.folder import FOLDER
from specs.codes.lint import LINT
from specs.codes.shared import SHARED
from specs.codes.timing import TIMING

__all__ = ["CODES", "Code"]

CODES: dict[str, Code] = {code.code: code for code in (*FILES, *FIELDS, *TIMING, *SHARED, *FOLDER, *LINT)}
"""All codes, in their order."""
