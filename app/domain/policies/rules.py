"""What the city starts with (policy defaults), and how the narrowest row is chosen."""

from collections.abc import Iterable
from typing import Final

CITY_DEFAULTS: Final[dict[str, int]] = {
    "arrears_hold_days": 1,
    "arrears_notice_hours": 1,
    "arrears_reminder_days": 2,
    "arrive_early_minutes": 15,
    "arrive_late_minutes": 30,
    "bill_originals_days": 3653,
    "city_feed_lag_minutes": 30,
    "city_feed_pulse_minutes": 5,
    "closes_before_minutes": 60,
    "contact_check_days": 90,
    "evening_before_a_day_off_is_open": 1,
    "facility_check_days": 365,
    "forget_cars_days": 400,
    "forget_payers_days": 400,
    "free_cancellation_minutes": 30,
    "gate_alarm_minutes": 10,
    "kept_for_reservations_percent": 10,
    "kept_until_minutes_before": 60,
    "leave_after_payment_minutes": 15,
    "live_reservations": 3,
    "live_waitlist_entries": 3,
    "longest_billed_minutes": 7 * 24 * 60,
    "longest_reservation_minutes": 48 * 60,
    "longest_walk_in_minutes": 48 * 60,
    "makeup_days_are_worked": 1,
    "morning_after_a_day_off_is_open": 1,
    "offer_minutes": 30,
    "opens_after_minutes": 60,
    "overstay_blocks_minutes": 60,
    "overstay_grace_minutes": 15,
    "overstay_tow_minutes": 180,
    "partner_count_fresh_seconds": 600,
    "partner_silence_minutes": 30,
    "receipt_mail_hours": 24,
    "receipt_mails_per_day": 10,
    "reference_radius_m": 500,
    "regular_application_days": 5,
    "regular_arrive_late_minutes": 240,
    "regular_bays_percent": 30,
    "regular_longest_days": 31,
    "regular_night_from_minutes": 18 * 60,
    "regular_night_until_minutes": 9 * 60,
    "regular_no_shows": 3,
    "regular_places_per_motorist": 1,
    "reserve_ahead_minutes": 7 * 24 * 60,
    "refund_alone_fen": 5000,
    "remind_after_minutes": 15,
    "remind_first_minutes": 60,
    "remind_second_minutes": 15,
    "remit_within_days": 10,
    "search_radius_m": 3000,
    "shared_bays_percent": 30,
    "shared_bays_percent_centre": 40,
    "shared_chargers_percent": 30,
    "shortest_walk_in_minutes": 15,
    "suspense_old_days": 30,
    "tariff_notice_days": 7,
    "tow_after_call_minutes": 30,
    "treasury_receipt_days": 5,
    "waitlist_ends_before_minutes": 10,
    "waitlist_offer_minutes": 10,
}
"""Every number by name, with the value that holds where nobody has set another."""

MOST: Final = 365 * 24 * 60

NARROWEST_FIRST = ("lot", "unit", "city")


def narrowest(name: str, rows: Iterable[tuple[str, int]]) -> int:
    """The value of the narrowest (scope, value) row, or the city's default."""
    by_scope = dict(rows)
    for scope in NARROWEST_FIRST:
        if scope in by_scope:
            return by_scope[scope]
    return CITY_DEFAULTS[name]
