"""What is agreed stands on a document, counts by a second person's word, and never twice for a day."""

from dataclasses import replace
from datetime import date

import pytest

from app.domain.service_fees.actions import confirm_terms, end_terms, record_terms, reject
from app.domain.service_fees.actions.terms import (
    FeeEndUnfit,
    FeeTermsConfirmed,
    FeeTermsOverlap,
    FeeTermsStated,
    FeeTermsUnfit,
    OwnFeeTerms,
)
from app.domain.service_fees.queries import NoSuchFeeTerms
from app.domain.service_fees.rules import Agreed
from app.kernel.files import FileRefused, Paper
from app.kernel.ids import new_key
from app.kernel.refusals import NotFound
from tests.service_fees.scene import DOCUMENT, JULY, JUNE, Entrusted
from tests.world import paper, staff

THE_15TH, THE_16TH = date(2026, 6, 15), date(2026, 6, 16)


WHOLE = Agreed(JUNE, None, 85, 0, DOCUMENT)


def test_a_fee_is_a_share_a_sum_or_both() -> None:
    told = ((0, 0), (1, 0), (0, 1), (1000, 5), (1001, 0), (-1, 5), (5, -1))
    fit = [replace(WHOLE, permille=permille, monthly_fen=fen).is_fit() for permille, fen in told]
    assert fit == [False, True, True, True, False, False, False]


def test_terms_that_say_nothing_are_refused(entrusted: Entrusted) -> None:
    parties = entrusted.operator.key, entrusted.unit_key
    for told in (replace(WHOLE, document_no=" "), replace(WHOLE, last=date(2026, 5, 31)), replace(WHOLE, permille=0)):
        with pytest.raises(FeeTermsUnfit):
            record_terms(entrusted.maker, *parties, told, paper())
    with pytest.raises(FileRefused):
        record_terms(entrusted.maker, *parties, WHOLE, Paper(b"", "空.pdf"))
    with pytest.raises(NotFound):
        record_terms(entrusted.maker, new_key(), entrusted.unit_key, WHOLE, paper())


def test_another_person_confirms_terms_once(entrusted: Entrusted) -> None:
    recorded = entrusted.records()
    with pytest.raises(OwnFeeTerms):
        confirm_terms(entrusted.acting_as_checker(entrusted.maker), recorded.key)
    assert confirm_terms(entrusted.checker, recorded.key).confirmed_by == entrusted.checker.account_id
    with pytest.raises(FeeTermsConfirmed):
        confirm_terms(entrusted.checker, recorded.key)
    with pytest.raises(NoSuchFeeTerms):
        confirm_terms(entrusted.checker, new_key())


def test_no_day_is_agreed_twice_and_terms_end_for_others_to_begin(entrusted: Entrusted) -> None:
    first = entrusted.agrees()
    with pytest.raises(FeeEndUnfit):
        end_terms(entrusted.checker, first.key, date(2026, 5, 31))
    with pytest.raises(FeeTermsOverlap):
        entrusted.agrees(THE_16TH, permille=50)
    end_terms(entrusted.checker, first.key, THE_15TH)
    with pytest.raises(FeeEndUnfit):
        end_terms(entrusted.checker, first.key, THE_16TH)
    entrusted.agrees(THE_16TH, permille=50)


def test_what_was_stated_stays_agreed_until_the_statement_is_rejected(entrusted: Entrusted) -> None:
    first = entrusted.agrees(THE_16TH)
    forgotten = entrusted.records(JUNE, THE_15TH)
    entrusted.is_over(JUNE)
    made = entrusted.drafts()
    with pytest.raises(FeeTermsStated):
        confirm_terms(entrusted.checker, forgotten.key)
    with pytest.raises(FeeTermsStated):
        end_terms(entrusted.checker, first.key, date(2026, 6, 29))
    end_terms(entrusted.checker, first.key, JULY)
    reject(entrusted.checker, made.key, "补登")
    confirm_terms(entrusted.checker, forgotten.key)
    assert entrusted.drafts().lines == 2


def test_who_has_no_part_in_it_does_not_find_it(entrusted: Entrusted) -> None:
    recorded = entrusted.records()
    of_the_operator = staff("finance_checker", operator_id=entrusted.operator.id)
    for stranger in (of_the_operator, staff("finance_checker", district_code="330108")):
        with pytest.raises(NotFound):
            confirm_terms(stranger, recorded.key)
