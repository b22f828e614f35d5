"""May this model and its explanations be relied on? The record, its checks, and the exam of the audit itself.

`dlx.audit` is this room and, called, the audit: `dlx.audit(model, inputs, labels)`.
"""

import inspect
import sys
from types import ModuleType

from dlexplain.audit.audit import audit as _audit
from dlexplain.audit.card import template as card_template
from dlexplain.audit.comparing import Changes, compare
from dlexplain.audit.record import Check, Exhibit, Part, Table
from dlexplain.audit.result import AuditRecord

__all__ = ["AuditRecord", "Changes", "Check", "Exhibit", "Part", "Table", "card_template", "compare"]


class _Room(ModuleType):
    """Importing this room puts it under the name of the question in the package; so the room answers the question."""

    __call__ = staticmethod(_audit)


sys.modules[__name__].__class__ = _Room
__signature__ = inspect.signature(_audit)  # what help() shows of a call
