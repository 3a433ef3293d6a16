"""What is done about WeChat's rule: note or find what was rendered, ask whether it holds, report, forget who paid."""

from payments.shipping.actions.ask import ask_whether_managed
from payments.shipping.actions.find import find_rendered
from payments.shipping.actions.forget import forget_payers
from payments.shipping.actions.note import note_rendered
from payments.shipping.actions.report import report_due

__all__ = ["ask_whether_managed", "find_rendered", "forget_payers", "note_rendered", "report_due"]
