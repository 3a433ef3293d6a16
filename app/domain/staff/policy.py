"""The policy table: each staff action by its name, and the roles that may take it within their scope.

One line an action, nothing else anywhere decides. A test compares it with the actions themselves and with the commands
that reach them.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """What a person may be here (角色)."""

    UNIT = "unit"
    OPERATOR = "operator"
    COMPLAINT_HANDLER = "complaint_handler"
    FINANCE_MAKER = "finance_maker"
    FINANCE_CHECKER = "finance_checker"
    PRICE_OFFICER = "price_officer"
    REGULATOR = "regulator"
    ADMINISTRATOR = "administrator"


UNIT, OPERATOR, REGULATOR, ADMINISTRATOR = Role.UNIT, Role.OPERATOR, Role.REGULATOR, Role.ADMINISTRATOR
FINANCE_MAKER, FINANCE_CHECKER, PRICE_OFFICER = Role.FINANCE_MAKER, Role.FINANCE_CHECKER, Role.PRICE_OFFICER
EVERYBODY: Final = frozenset(Role)


def _only(*roles: Role) -> frozenset[Role]:
    return frozenset(roles)


POLICY: Final[Mapping[str, frozenset[Role]]] = {
    # staff
    "staff.open_account": _only(ADMINISTRATOR),
    "staff.close_account": _only(ADMINISTRATOR),
    "staff.reset_password": _only(ADMINISTRATOR),
    "staff.grant": _only(ADMINISTRATOR),
    "staff.end_grant": _only(ADMINISTRATOR),
    "staff.see_accounts": _only(ADMINISTRATOR),
    # policies
    "policies.set_number": _only(ADMINISTRATOR, REGULATOR),
    "policies.see": EVERYBODY,
    # tasks
    "tasks.see": EVERYBODY,
    "tasks.take": EVERYBODY,
    "tasks.close": EVERYBODY,
    # audit
    "audit.see": _only(ADMINISTRATOR, REGULATOR, FINANCE_CHECKER),
    # units
    "units.register": _only(ADMINISTRATOR, REGULATOR),
    "units.correct": _only(ADMINISTRATOR, REGULATOR),
    "units.see": EVERYBODY,
    "units.change_office_hours": _only(UNIT, REGULATOR),
    "units.find": _only(REGULATOR),
    "units.lift_finding": _only(REGULATOR),
    "units.register_operator": _only(ADMINISTRATOR, REGULATOR),
    "units.correct_operator": _only(ADMINISTRATOR, REGULATOR),
    "units.sign_agreement": _only(UNIT, REGULATOR),
    "units.end_agreement": _only(UNIT, REGULATOR),
    "units.declare_self_operation": _only(UNIT, REGULATOR),
    # calendars
    "calendars.load": _only(ADMINISTRATOR, REGULATOR),
    "calendars.see": EVERYBODY,
    # lots
    "lots.draft": _only(UNIT, REGULATOR),
    "lots.change": _only(UNIT, OPERATOR),
    "lots.see": EVERYBODY,
    "lots.plan": _only(UNIT, OPERATOR),
    "lots.decide_plan": _only(REGULATOR),
    "lots.check_contacts": _only(UNIT, OPERATOR, REGULATOR),
    "lots.check_facilities": _only(UNIT, OPERATOR, REGULATOR),
    "lots.submit": _only(UNIT),
    "lots.approve": _only(REGULATOR),
    "lots.send_back": _only(REGULATOR),
    "lots.publish": _only(UNIT),
    "lots.suspend": _only(UNIT, REGULATOR),
    "lots.reopen": _only(UNIT, REGULATOR),
    "lots.withdraw": _only(UNIT, REGULATOR),
    "lots.propose_payee": _only(FINANCE_MAKER),
    "lots.pay_to": _only(FINANCE_CHECKER),
    "lots.see_payees": _only(FINANCE_MAKER, FINANCE_CHECKER, REGULATOR),
    "lots.import": _only(ADMINISTRATOR, REGULATOR),
    # payees
    "payees.open": _only(FINANCE_MAKER),
    "payees.confirm": _only(FINANCE_CHECKER),
    "payees.retire": _only(FINANCE_CHECKER),
    "payees.open_channel": _only(FINANCE_MAKER),
    "payees.confirm_channel": _only(FINANCE_CHECKER),
    "payees.retire_channel": _only(FINANCE_CHECKER),
    "payees.reopen_channel": _only(FINANCE_MAKER),
    "payees.accept_reopening": _only(FINANCE_CHECKER),
    "payees.reject_reopening": _only(FINANCE_CHECKER),
    "payees.see": _only(FINANCE_MAKER, FINANCE_CHECKER, REGULATOR),
    # pricing
    "pricing.enter_tariff": _only(PRICE_OFFICER),
    "pricing.propose_reference": _only(PRICE_OFFICER),
    "pricing.approve_reference": _only(PRICE_OFFICER),
    "pricing.propose_references": _only(PRICE_OFFICER),
    "pricing.approve_references": _only(PRICE_OFFICER),
    "pricing.set_cap_rule": _only(PRICE_OFFICER),
    "pricing.draft": _only(UNIT),
    "pricing.withdraw": _only(UNIT, PRICE_OFFICER),
    "pricing.prove": _only(PRICE_OFFICER),
    "pricing.publish": _only(PRICE_OFFICER),
    "pricing.see": EVERYBODY,
    # messages
    "messages.set_template": _only(ADMINISTRATOR),
    "messages.see": _only(ADMINISTRATOR, REGULATOR),
    # reservations
    "reservations.see": EVERYBODY,
    # regulars
    "regulars.open": _only(UNIT, OPERATOR),
    "regulars.cancel": _only(UNIT, OPERATOR, REGULATOR),
    "regulars.draw": _only(UNIT, OPERATOR, REGULATOR),
    "regulars.see": EVERYBODY,
    # adjustments
    "adjustments.adjust": _only(UNIT, OPERATOR, REGULATOR),
    "adjustments.close_now": _only(UNIT, OPERATOR, REGULATOR),
    "adjustments.free_now": _only(UNIT, REGULATOR),
    "adjustments.record_basis": _only(FINANCE_MAKER),
    "adjustments.approve_basis": _only(FINANCE_CHECKER),
    "adjustments.apply_calendar": _only(ADMINISTRATOR, REGULATOR),
    "adjustments.end": _only(UNIT, OPERATOR, REGULATOR),
    "adjustments.see": EVERYBODY,
    # partners
    "partners.register": _only(ADMINISTRATOR),
    "partners.rotate_key": _only(ADMINISTRATOR),
    "partners.revoke": _only(ADMINISTRATOR),
    "partners.see": _only(ADMINISTRATOR, REGULATOR, UNIT, OPERATOR),
    "partners.see_proposals": _only(UNIT, OPERATOR, REGULATOR),
    "partners.accept_proposal": _only(UNIT, REGULATOR),
    "partners.decline_proposal": _only(UNIT, REGULATOR),
    # gates
    "gates.register": _only(UNIT, OPERATOR, ADMINISTRATOR),
    "gates.rotate_secret": _only(UNIT, OPERATOR, ADMINISTRATOR),
    "gates.switch": _only(UNIT, OPERATOR, ADMINISTRATOR),
    "gates.see": _only(UNIT, OPERATOR, REGULATOR, ADMINISTRATOR),
    # stays
    "stays.see_turn_aways": _only(UNIT, OPERATOR, Role.COMPLAINT_HANDLER, REGULATOR, ADMINISTRATOR),
    "stays.rebuild": _only(REGULATOR, ADMINISTRATOR),
    "stays.assign_exit": _only(UNIT, OPERATOR, REGULATOR),
    "stays.see_passages": _only(UNIT, OPERATOR, REGULATOR),
    "stays.record_dispute": _only(UNIT, OPERATOR, Role.COMPLAINT_HANDLER, REGULATOR),
    # refunds
    "refunds.ask": _only(Role.COMPLAINT_HANDLER, FINANCE_MAKER),
    "refunds.approve": _only(FINANCE_CHECKER),
    "refunds.reject": _only(FINANCE_CHECKER),
    "refunds.stop": _only(FINANCE_CHECKER),
    "refunds.pay_to_card": _only(FINANCE_CHECKER),
    "refunds.file": _only(FINANCE_MAKER),
    "refunds.record_paid": _only(FINANCE_CHECKER),
    "refunds.record_refusal": _only(FINANCE_CHECKER),
    "refunds.see": _only(UNIT, OPERATOR, Role.COMPLAINT_HANDLER, FINANCE_MAKER, FINANCE_CHECKER, REGULATOR),
    # finance
    "finance.see_books": _only(FINANCE_MAKER, FINANCE_CHECKER, REGULATOR),
    "finance.see_revenue": _only(UNIT, FINANCE_MAKER, FINANCE_CHECKER, REGULATOR),
    "finance.report_use": _only(UNIT, FINANCE_MAKER),
    "finance.see_uses": _only(UNIT, FINANCE_MAKER, FINANCE_CHECKER, REGULATOR),
    # reconciliation
    "reconciliation.see": _only(FINANCE_MAKER, FINANCE_CHECKER, REGULATOR),
    "reconciliation.compare": _only(FINANCE_MAKER, FINANCE_CHECKER),
    "reconciliation.take": _only(FINANCE_MAKER, FINANCE_CHECKER),
    "reconciliation.assign": _only(FINANCE_MAKER, FINANCE_CHECKER),
    "reconciliation.load_bill": _only(FINANCE_MAKER),
    "reconciliation.load_no_bill": _only(FINANCE_MAKER),
    "reconciliation.record_account": _only(FINANCE_MAKER),
    "reconciliation.confirm_account": _only(FINANCE_CHECKER),
    "reconciliation.explain_line": _only(FINANCE_MAKER),
    "reconciliation.accept_line": _only(FINANCE_CHECKER),
    "reconciliation.reject_line": _only(FINANCE_CHECKER),
    "reconciliation.import_statement": _only(FINANCE_MAKER),
    "reconciliation.explain": _only(FINANCE_MAKER),
    "reconciliation.accept": _only(FINANCE_CHECKER),
    "reconciliation.reject": _only(FINANCE_CHECKER),
    "reconciliation.clear": _only(FINANCE_MAKER),
    "reconciliation.accept_clearing": _only(FINANCE_CHECKER),
    "reconciliation.reject_clearing": _only(FINANCE_CHECKER),
    "reconciliation.place": _only(FINANCE_MAKER),
    "reconciliation.give_back": _only(FINANCE_MAKER),
    "reconciliation.accept_placement": _only(FINANCE_CHECKER),
    "reconciliation.reject_placement": _only(FINANCE_CHECKER),
    "reconciliation.correct": _only(FINANCE_MAKER),
    "reconciliation.accept_correction": _only(FINANCE_CHECKER),
    "reconciliation.reject_correction": _only(FINANCE_CHECKER),
    "reconciliation.record_rate": _only(FINANCE_MAKER),
    "reconciliation.confirm_rate": _only(FINANCE_CHECKER),
    "reconciliation.export_bill": _only(FINANCE_CHECKER),
    "reconciliation.take_day_sheet": _only(FINANCE_MAKER, FINANCE_CHECKER, REGULATOR),
    "reconciliation.take_month_sheet": _only(FINANCE_MAKER, FINANCE_CHECKER, REGULATOR),
    "reconciliation.propose": _only(FINANCE_MAKER),
    "reconciliation.sign": _only(FINANCE_CHECKER),
    # remittance
    "remittance.see": _only(FINANCE_MAKER, FINANCE_CHECKER, REGULATOR),
    "remittance.take_paper": _only(FINANCE_MAKER, FINANCE_CHECKER, REGULATOR),
    "remittance.propose": _only(FINANCE_MAKER),
    "remittance.approve": _only(FINANCE_CHECKER),
    "remittance.send_back": _only(FINANCE_CHECKER),
    "remittance.withdraw": _only(FINANCE_MAKER),
    "remittance.send": _only(FINANCE_MAKER),
    "remittance.receive": _only(FINANCE_CHECKER),
    "remittance.refuse": _only(FINANCE_CHECKER),
    "remittance.bounce": _only(FINANCE_CHECKER),
    # settlements
    "settlements.see": _only(FINANCE_MAKER, FINANCE_CHECKER, REGULATOR),
    "settlements.draft": _only(FINANCE_MAKER),
    "settlements.issue": _only(FINANCE_CHECKER),
    "settlements.reject": _only(FINANCE_CHECKER),
    # service fees
    "service_fees.see": _only(UNIT, OPERATOR, FINANCE_MAKER, FINANCE_CHECKER, REGULATOR),
    "service_fees.see_drafts": _only(FINANCE_MAKER, FINANCE_CHECKER),
    "service_fees.take_paper": _only(UNIT, OPERATOR, FINANCE_MAKER, FINANCE_CHECKER, REGULATOR),
    "service_fees.record_terms": _only(FINANCE_MAKER),
    "service_fees.confirm_terms": _only(FINANCE_CHECKER),
    "service_fees.end_terms": _only(FINANCE_CHECKER),
    "service_fees.draft": _only(FINANCE_MAKER),
    "service_fees.issue": _only(FINANCE_CHECKER),
    "service_fees.reject": _only(FINANCE_CHECKER),
    # receipts
    "receipts.record_terms": _only(FINANCE_MAKER),
    "receipts.confirm_terms": _only(FINANCE_CHECKER),
    "receipts.end_terms": _only(FINANCE_CHECKER),
    "receipts.record_certificate": _only(FINANCE_MAKER),
    "receipts.accept_certificate": _only(FINANCE_CHECKER),
    "receipts.reject_certificate": _only(FINANCE_CHECKER),
    "receipts.retry": _only(FINANCE_MAKER, FINANCE_CHECKER),
    "receipts.see": _only(FINANCE_MAKER, FINANCE_CHECKER, REGULATOR),
    # arrears
    "arrears.see": _only(UNIT, OPERATOR, Role.COMPLAINT_HANDLER, FINANCE_MAKER, FINANCE_CHECKER, REGULATOR),
    "arrears.pause": _only(Role.COMPLAINT_HANDLER, FINANCE_CHECKER, REGULATOR),
    "arrears.resume": _only(Role.COMPLAINT_HANDLER, FINANCE_CHECKER, REGULATOR),
    "arrears.record_deferral": _only(FINANCE_MAKER),
    "arrears.approve_deferral": _only(FINANCE_CHECKER),
    "arrears.end_deferral": _only(FINANCE_CHECKER, REGULATOR),
    # departures
    "departures.see": _only(UNIT, OPERATOR, REGULATOR),
    "departures.call": _only(UNIT, OPERATOR),
    "departures.order_tow": _only(UNIT, OPERATOR),
    "departures.approve_tow": _only(UNIT, REGULATOR),
    "departures.record_tow": _only(UNIT, OPERATOR),
    "departures.call_tow_off": _only(UNIT, OPERATOR, REGULATOR),
    # conduct
    "conduct.set_rule": _only(REGULATOR),
    "conduct.see_rules": EVERYBODY,
    "conduct.see_incidents": _only(UNIT, OPERATOR, Role.COMPLAINT_HANDLER, REGULATOR),
    "conduct.see_measures": _only(Role.COMPLAINT_HANDLER, REGULATOR),
    "conduct.see_appeals": _only(Role.COMPLAINT_HANDLER, REGULATOR),
    "conduct.decide": _only(Role.COMPLAINT_HANDLER, REGULATOR),
    # city feed
    "city_feed.see": _only(ADMINISTRATOR, REGULATOR),
    "city_feed.retry": _only(ADMINISTRATOR, REGULATOR),
}
