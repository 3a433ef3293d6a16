"""Static data: a partner sees its own lots, and proposes what a person decides."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.domain.lots.models import Lot, LotStep
from app.domain.partners import actions as partners
from app.domain.partners.actions.proposals import ProposalDecided, ProposalOutdated
from app.domain.partners.models import LotProposal, PartnerLot
from app.domain.partners.queries import list_partners, list_proposals
from app.domain.staff.rules import Actor
from app.domain.tasks.models import Task
from app.kernel.datum import gcj02_to_wgs84
from app.kernel.db import transaction
from app.kernel.refusals import NotFound, Refusal
from tests.partners.stand import Hand, count, partner_of
from tests.world import open_lot, staff

At = Callable[[datetime], None]


def kept(lot: Lot) -> Lot:
    with transaction() as session:
        return session.get_one(Lot, lot.id)


def proposals() -> list[str | None]:
    with transaction() as session:
        return [row.outcome for row in session.query(LotProposal).order_by(LotProposal.id)]


def proposed(hand: Hand, lot: Lot, **facts: Any) -> Any:
    return hand.ask("PUT", f"/lots/{lot.key}", facts)


def an_open_proposal(hand: Hand, lot: Lot, **facts: Any) -> LotProposal:
    proposed(hand, lot, **(facts or {"name": "改名后的示例停车场"}))
    with transaction() as session:
        return session.query(LotProposal).filter_by(outcome=None).one()


def open_tasks(kind: str) -> int:
    with transaction() as session:
        return session.query(Task).filter_by(kind=kind, closed_at=None).count()


def test_a_partner_sees_the_lots_of_its_unit_and_no_others(hand: Hand, lot: Lot) -> None:
    open_lot(bays=5)
    told = hand.ask("GET", "/lots")
    assert told["next"] is None
    [own] = told["lots"]
    assert own["lot"] == str(lot.key)
    assert (own["shared_bays"], own["total_bays"], own["datum"]) == (5, lot.total_bays, "GCJ-02")


@pytest.mark.parametrize("query", ["?after=x", "?page=2"])
def test_a_list_is_asked_for_in_its_own_words(hand: Hand, query: str) -> None:
    assert hand.ask("GET", f"/lots{query}", expect=422)["code"] == "invalid"


def test_approved_facts_are_not_overwritten_but_proposed(hand: Hand, lot: Lot) -> None:
    told = proposed(hand, lot, name="改名后的示例停车场", total_bays=lot.total_bays + 1, address=lot.address)
    assert (told["outcome"], told["differing"]) == ("proposed", ["name", "total_bays"])
    assert kept(lot).name == lot.name
    assert open_tasks("lot_proposal") == 1
    assert hand.ask("GET", "/lots")["lots"][0]["proposal"] == told["proposal"]


def test_the_same_description_again_changes_nothing_and_another_supersedes_it(hand: Hand, lot: Lot) -> None:
    first = proposed(hand, lot, name="甲示例停车场")
    assert proposed(hand, lot, name="甲示例停车场") == first
    assert proposed(hand, lot, name="乙示例停车场")["proposal"] != first["proposal"]
    assert proposed(hand, lot, name=lot.name) == {
        "lot": str(lot.key), "outcome": "unchanged", "proposal": None, "differing": [],
    }  # fmt: skip
    assert proposals() == ["superseded", "superseded"]
    assert open_tasks("lot_proposal") == 0


def test_the_same_description_at_once_is_one_proposal(app: Flask, hand: Hand, lot: Lot) -> None:
    def put(_: int) -> Any:
        with app.app_context():
            return proposed(Hand(app.test_client(), hand.partner), lot, name="甲示例停车场")["proposal"]

    with ThreadPoolExecutor(4) as many:
        assert len(set(many.map(put, range(4)))) == 1
    assert proposals() == [None]


def test_the_partners_own_code_takes_effect_at_once(hand: Hand, lot: Lot) -> None:
    assert proposed(hand, lot, own_code="P-001")["outcome"] == "unchanged"
    assert hand.ask("GET", "/lots")["lots"][0]["own_code"] == "P-001"


def test_a_point_is_believed_only_with_its_datum_and_is_kept_as_gcj02(hand: Hand, lot: Lot) -> None:
    latitude, longitude = gcj02_to_wgs84(lot.latitude, lot.longitude)
    point = {"latitude": latitude, "longitude": longitude}
    assert hand.ask("PUT", f"/lots/{lot.key}", point, expect=422)["code"] == "datum_missing"
    assert proposed(hand, lot, **point, datum="WGS-84")["outcome"] == "unchanged"
    assert proposed(hand, lot, **point, datum="GCJ-02")["differing"] == ["latitude", "longitude"]


@pytest.mark.parametrize(
    ("facts", "status", "code"),
    [
        ({"datum": "BD-09", "latitude": 30.2, "longitude": 120.1}, 422, "invalid"),
        ({"datum": "WGS-84", "latitude": 30.2}, 422, "invalid"),
        ({"datum": "WGS-84", "latitude": 120.1, "longitude": 30.2}, 422, "invalid"),
        ({"datum": "WGS-84", "latitude": 39.9, "longitude": 116.4}, 422, "point_outside"),
        ({"shared_chargers": 3, "total_chargers": 2}, 422, "lot_incomplete"),
        ({"total_bays": 4}, 409, "more_bays_than_there_are"),
        ({"total_bays": 0}, 422, "invalid"),
        ({"name": ""}, 422, "invalid"),
        ({"unit_id": 7}, 422, "invalid"),
        ({"state": "open"}, 422, "invalid"),
        ({"latitude": 10**400, "longitude": 1, "datum": "WGS-84"}, 422, "invalid"),
    ],
)
def test_a_description_that_cannot_be_is_refused_and_written_down(
    hand: Hand, lot: Lot, admin: Any, facts: dict[str, Any], status: int, code: str
) -> None:
    assert hand.ask("PUT", f"/lots/{lot.key}", facts, expect=status)["code"] == code
    assert admin.execute("SELECT kind, code FROM partner_refusal").fetchall() == [("lot", code)]
    assert proposals() == []


@pytest.mark.parametrize("role", ["unit", "regulator"])
def test_an_accepted_proposal_becomes_the_lots_description(hand: Hand, lot: Lot, role: str) -> None:
    by = staff(role, unit_id=lot.unit_id) if role == "unit" else staff(role)
    wanted = an_open_proposal(hand, lot, name="改名后的示例停车场", height_limit_cm=190)
    assert [shown.proposal.id for shown in list_proposals(by)] == [wanted.id]
    partners.accept_proposal(by, wanted.key, "已核实")
    assert (kept(lot).name, kept(lot).height_limit_cm, kept(lot).address) == ("改名后的示例停车场", 190, lot.address)
    assert (proposals(), open_tasks("lot_proposal"), list_proposals(by)) == (["accepted"], 0, [])
    with transaction() as session:
        assert session.query(LotStep).filter_by(lot_id=lot.id, event="correct").one().by_account == by.account_id


def test_a_declined_proposal_leaves_the_lot_as_it_is_and_is_over(hand: Hand, lot: Lot) -> None:
    by, wanted = staff("regulator"), an_open_proposal(hand, lot)
    partners.decline_proposal(by, wanted.key, "与现场不符")
    assert kept(lot).name == lot.name
    with pytest.raises(ProposalDecided):
        partners.accept_proposal(by, wanted.key, "还是可以")


def test_what_changed_meanwhile_is_not_overwritten_by_an_old_proposal(hand: Hand, lot: Lot) -> None:
    wanted = an_open_proposal(hand, lot)
    with transaction() as session:
        session.get_one(Lot, lot.id).name = "单位自己改的示例名"
    with pytest.raises(ProposalOutdated):
        partners.accept_proposal(staff("regulator"), wanted.key, "已核实")
    assert kept(lot).name == "单位自己改的示例名"


def test_two_decisions_at_once_are_one(app: Flask, hand: Hand, lot: Lot) -> None:
    wanted, people = an_open_proposal(hand, lot), [staff("regulator") for _ in range(4)]

    def decide(by: Actor) -> str:
        with app.app_context():
            try:
                return partners.accept_proposal(by, wanted.key, "已核实").outcome or ""
            except Refusal as refused:
                return refused.code

    with ThreadPoolExecutor(4) as many:
        assert sorted(many.map(decide, people)) == ["accepted"] + ["proposal_decided"] * 3


def test_a_stranger_decides_nothing(hand: Hand, lot: Lot) -> None:
    wanted, stranger = an_open_proposal(hand, lot), staff("unit", unit_id=open_lot().unit_id)
    with pytest.raises(NotFound):
        partners.accept_proposal(stranger, wanted.key, "已核实")
    assert list_proposals(stranger) == []


def test_people_see_the_partners_within_their_reach(hand: Hand, lot: Lot) -> None:
    hand.verdicts("counts", count(lot), count(lot, -1))
    [shown] = list_partners(staff("administrator"))
    assert (shown.lots, shown.refusals, shown.heard_at is not None) == (1, 1, True)
    assert len(list_partners(staff("unit", unit_id=lot.unit_id))) == 1
    assert list_partners(staff("unit", unit_id=open_lot().unit_id)) == []


def test_a_silent_partner_is_shown_to_a_person_once_until_it_speaks_again(
    hand: Hand, lot: Lot, evening: datetime, at: At
) -> None:
    hand.verdicts("counts", count(lot))
    at(evening + timedelta(minutes=29))
    assert partners.note_silence() == 0
    at(evening + timedelta(minutes=31))
    assert (partners.note_silence(), partners.note_silence()) == (1, 0)
    assert open_tasks("partner_silent") == 1
    hand.verdicts("counts", count(lot))
    assert open_tasks("partner_silent") == 0
    at(evening + timedelta(minutes=62))
    assert partners.note_silence() == 1


def test_a_revoked_partner_and_one_that_never_spoke_are_not_silent(
    hand: Hand, client: FlaskClient, lot: Lot, evening: datetime, at: At
) -> None:
    partner_of(lot.unit_id)
    hand.verdicts("counts", count(lot))
    partners.revoke(staff("administrator"), hand.partner.key, "示例")
    at(evening + timedelta(hours=2))
    assert partners.note_silence() == 0


def test_refused_news_is_no_sign_of_life(hand: Hand, lot: Lot) -> None:
    hand.verdicts("counts", count(lot, -1))
    with transaction() as session:
        assert session.get_one(PartnerLot, (hand.partner.id, lot.id)).heard_at is None
