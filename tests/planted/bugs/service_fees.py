"""What must never pass of operators' service fees."""

from collections.abc import Sequence
from typing import Final

from tests.planted.bug import Bug

_FEES: Final = "tests/service_fees/test_statements.py"
_FEE_GUARDS: Final = "tests/service_fees/test_guards.py"
_FEE_COMMANDS: Final = "tests/service_fees/test_commands.py"
_GROSS: Final = "tests/service_fees/test_gross.py"

BUGS: Final[Sequence[Bug]] = [
    Bug(
        "netted: an operator's fee is taken out of the treasury's money",
        "payments/remittance/actions/propose.py",
        "(SELECT count(*) AS lines, sum(fen)::bigint AS fen FROM due)",
        "(SELECT count(*) AS lines, (sum(fen) - coalesce((SELECT sum(share_fen + fixed_fen) FROM service_fee_statement "
        "WHERE state = 'issued'), 0))::bigint AS fen FROM due)",
        [_GROSS],
    ),
    Bug(
        "agreed twice: two confirmed terms of an operator hold on one day",
        "migrations/versions/0051_service_fees.py",
        '(sa.column("valid"), "&&"),',
        '(sa.column("valid"), "="),',
        [_FEE_GUARDS, "tests/service_fees/test_terms.py"],
    ),
    Bug(
        "agreed alone: terms that nobody confirmed make a fee",
        "migrations/versions/0051_service_fees.py",
        "                 AND terms.confirmed_by IS NOT NULL AND terms.valid @>",
        "                 AND terms.valid @>",
        [_FEES],
    ),
    Bug(
        "fee on what went back: refunds are not taken off what was collected",
        "migrations/versions/0051_service_fees.py",
        "IN ('payment', 'refund_success', 'refund_recovered', 'refund_by_treasury')",
        "IN ('payment', 'refund_recovered', 'refund_by_treasury')",
        [_FEES],
    ),
    Bug(
        "fee unseen: a month with a day that nobody signed off is stated",
        "migrations/versions/0070_their_own_days.py",
        "broken := 'a_fee_statement_is_of_signed_off_days';",
        "broken := NULL;",
        [_FEES],
    ),
    Bug(
        "fee invented: a statement says other figures than the books",
        "migrations/versions/0070_their_own_days.py",
        "broken := 'a_fee_statement_says_what_was_collected';",
        "broken := NULL;",
        [_FEE_GUARDS],
    ),
    Bug(
        "nobody's money: the month of a lot that charges for nobody is stated",
        "migrations/versions/0070_their_own_days.py",
        "broken := 'a_charging_lot_has_its_payee';",
        "broken := NULL;",
        [_FEES],
    ),
    Bug(
        "told early: the parties see a statement that is not issued",
        "app/domain/service_fees/queries.py",
        "or_(ServiceFeeStatement.state == ISSUED, making)",
        "or_(ServiceFeeStatement.state != ISSUED, making, ServiceFeeStatement.state == ISSUED)",
        [_FEE_COMMANDS],
    ),
    Bug(
        "looked at unseen: lines that are told as JSON leave no trace",
        "app/jobs/commands/door.py",
        "        _write_down(by, answer.shown)\n",
        '        if _form() != "json":\n            _write_down(by, answer.shown)\n',
        [_FEE_COMMANDS],
    ),
    Bug(
        "own fee: the maker issues by hand",
        "migrations/versions/0051_service_fees.py",
        'sa.CheckConstraint("decided_by <> made_by", name="a_fee_statement_is_decided_by_another_person"),',
        'sa.CheckConstraint("decided_by > 0", name="a_fee_statement_is_decided_by_another_person"),',
        [_FEE_GUARDS],
    ),
    Bug(
        "rewritten: an issued fee statement changes",
        "migrations/versions/0051_service_fees.py",
        """"service_fee_statement", DECISION, "OLD.state = 'draft'")""",
        """"service_fee_statement", DECISION, "true")""",
        [_FEE_GUARDS],
    ),
    Bug(
        "agreed afterwards: terms change under a statement of their days",
        "migrations/versions/0055_nothing_beside_the_rules.py",
        "AND state <> 'rejected' AND changed &&",
        "AND state = 'rejected' AND changed &&",
        ["tests/service_fees/test_terms.py"],
    ),
    Bug(
        "another's day: a lot counts for an operator on days on which it does not run it",
        "migrations/versions/0051_service_fees.py",
        "\n                 AND covered.valid @> (begins AT TIME ZONE 'Asia/Shanghai')",
        "",
        [_FEES],
    ),
]
