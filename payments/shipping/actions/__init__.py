"""What is done about WeChat's rule: note what was rendered, ask whether the rule holds, report."""

from payments.shipping.actions.ask import ask_whether_managed
from payments.shipping.actions.note import note_rendered
from payments.shipping.actions.report import report_due

__all__ = ["ask_whether_managed", "note_rendered", "report_due"]
