"""The comparison itself, as the database does it: one statement a leg, whatever the number of lines."""

from typing import Final

from sqlalchemy import TextClause, text

_OURS: Final = """
    SELECT paid.payment_id, NULL::bigint AS refund_key, payment_order.transaction_id, '' AS refund_id,
           payment_order.out_trade_no AS number, paid.fen, paid.at, '' AS status
    FROM (
        SELECT order_id, min(id) AS payment_id, sum(paid_fen)::bigint AS fen, min(paid_at) AS at
        FROM payment WHERE channel_id = :channel AND paid_at >= :begins AND paid_at < :ends GROUP BY order_id
    ) AS paid JOIN payment_order ON payment_order.id = paid.order_id
    UNION ALL
    SELECT refund.payment_id, refund.id, payment.transaction_id, refund.refund_id, refund.out_refund_no,
           -refund.amount_fen, accepted.at,
           CASE refund.state WHEN 'success' THEN 'SUCCESS' WHEN 'closed' THEN 'FAIL' WHEN 'abnormal' THEN 'CHANGE'
                ELSE 'PROCESSING' END
    FROM refund JOIN payment ON payment.id = refund.payment_id
    CROSS JOIN LATERAL (
        SELECT min(at) AS at FROM state_event
        WHERE machine = 'refund' AND entity_id = refund.id
          AND to_state IN ('processing', 'success', 'closed', 'abnormal')
    ) AS accepted
    WHERE refund.channel_id = :channel AND refund.refund_id IS NOT NULL AND refund.moved_at >= :begins
      AND refund.asked_at < :ends AND accepted.at >= :begins AND accepted.at < :ends
"""
"""Our payments, those of an order together, by WeChat's `success_time`; refunds by when we learned of acceptance."""
_JOINED: Final = f"""
    theirs AS (
        SELECT number AS line, at, kind, transaction_id, out_trade_no, refund_id, out_refund_no, amount_fen AS fen,
               CASE kind WHEN 'REFUND' THEN out_refund_no ELSE out_trade_no END AS number, status,
               fee_fen = CASE WHEN settled_fen < 0 THEN -1 ELSE 1 END
                         * ((abs(settled_fen) * rate_ppm + 500000) / 1000000)
               AND (kind = 'REFUND' OR rate_ppm = coalesce(CAST(:agreed AS bigint), rate_ppm)) AS fee_fits,
               currency = 'CNY' AND kind <> 'REVOKED' AS is_plain
        FROM bill_line WHERE bill_id = :file
    ),
    ours AS ({_OURS}),
    joined AS MATERIALIZED (
        SELECT line, theirs.at AS their_at, kind,
               coalesce(theirs.transaction_id, ours.transaction_id) AS transaction_id,
               coalesce(theirs.refund_id, ours.refund_id) AS refund_id, out_trade_no, out_refund_no,
               theirs.fen AS their_fen, theirs.status AS their_status, fee_fits, is_plain,
               payment_id, refund_key, ours.fen AS our_fen, ours.at AS our_at, ours.status AS our_status,
               ours.number AS our_number,
               coalesce(
                   theirs.fen = ours.fen AND theirs.status = ours.status AND fee_fits AND is_plain, false
               ) AS is_matched
        FROM theirs FULL JOIN ours
          ON theirs.transaction_id = ours.transaction_id AND theirs.refund_id = ours.refund_id
         AND theirs.number = ours.number
    )"""  # noqa: S608 - both parts are written here
_ODD: Final = """
    odd AS (
        SELECT joined.*, coalesce(other_refund.id, joined.refund_key) AS refund_found,
               coalesce(other_payment.payment_id, joined.payment_id) AS payment_found,
               coalesce(-other_refund.amount_fen, other_payment.fen) AS other_fen,
               coalesce(other_refund.channel_id, known_order.channel_id) AS known_channel,
               sibling.is_there AS has_sibling, elsewhere.channel_id AS seen_channel, elsewhere.is_there AS is_seen,
               coalesce(their_at, our_at) < CAST(:begins AS timestamptz) + CAST(:edge AS interval)
               OR coalesce(their_at, our_at) >= CAST(:ends AS timestamptz) - CAST(:edge AS interval) AS is_near_midnight
        FROM joined
        LEFT JOIN LATERAL (
            SELECT min(payment.id) AS payment_id, sum(payment.paid_fen)::bigint AS fen
            FROM payment_order its_own JOIN payment ON payment.order_id = its_own.id
            WHERE line IS NOT NULL AND our_fen IS NULL AND joined.refund_id = ''
              AND its_own.transaction_id = joined.transaction_id AND its_own.out_trade_no = joined.out_trade_no
              AND its_own.channel_id = :channel
        ) AS other_payment ON true
        LEFT JOIN refund other_refund
          ON line IS NOT NULL AND our_fen IS NULL AND joined.refund_id <> ''
         AND other_refund.out_refund_no = joined.out_refund_no
        LEFT JOIN payment_order known_order
          ON line IS NOT NULL AND our_fen IS NULL AND known_order.out_trade_no = joined.out_trade_no
        LEFT JOIN LATERAL (
            SELECT true AS is_there FROM order_line JOIN payment ON payment.charge_id = order_line.charge_id
            WHERE order_line.order_id = known_order.id AND other_payment.payment_id IS NULL LIMIT 1
        ) AS sibling ON true
        LEFT JOIN LATERAL (
            SELECT due.channel_id, true AS is_there
            FROM bill_line seen JOIN bill_file file ON file.id = seen.bill_id JOIN bill_day due ON due.id = file.day_id
            WHERE line IS NULL AND seen.transaction_id = joined.transaction_id AND seen.refund_id = joined.refund_id
              AND seen.bill_id <> :file
              AND NOT EXISTS (SELECT FROM bill_file newer WHERE newer.day_id = file.day_id AND newer.id > file.id
                              AND newer.state <> 'refused')
            ORDER BY due.channel_id = :channel LIMIT 1
        ) AS elsewhere ON true
        WHERE NOT is_matched
    ),
    classed AS (
        SELECT *,
            CASE
                WHEN line IS NOT NULL AND our_fen IS NOT NULL THEN
                    CASE WHEN their_fen <> our_fen OR NOT is_plain THEN 'amount_mismatch'
                         WHEN their_status <> our_status THEN 'status_stale'
                         ELSE 'fee_mismatch' END
                WHEN line IS NOT NULL THEN
                    CASE WHEN known_channel <> :channel THEN 'channel_mismatch'
                         WHEN other_fen IS NOT NULL AND (other_fen <> their_fen OR NOT is_plain) THEN 'amount_mismatch'
                         WHEN other_fen IS NOT NULL THEN 'cross_day'
                         WHEN refund_id = '' AND has_sibling THEN 'duplicate_there'
                         WHEN is_near_midnight AND :may_hold THEN 'cross_day'
                         ELSE 'missing_here' END
                ELSE
                    CASE WHEN is_seen AND seen_channel <> :channel THEN 'channel_mismatch'
                         WHEN is_seen THEN 'cross_day'
                         WHEN is_near_midnight AND :may_hold THEN 'cross_day'
                         ELSE 'missing_there' END
            END AS class,
            other_fen IS NOT NULL OR coalesce(is_seen, false) AS has_other_side
        FROM odd
    )"""
_INSERT_RUN: Final = """
        INSERT INTO recon_run (channel_id, payee_id, day, trade_file_id, flow_file_id, at, theirs, theirs_fen, ours,
                               ours_fen, matched, matched_fen, theirs_differing, theirs_differing_fen, ours_differing,
                               ours_differing_fen)
        SELECT :channel, :payee, :day, :file, CAST(:flow_file AS bigint), :now,
               count(line), coalesce(sum(their_fen), 0), count(our_fen), coalesce(sum(our_fen), 0),
               count(*) FILTER (WHERE is_matched), coalesce(sum(their_fen) FILTER (WHERE is_matched), 0),
               count(line) FILTER (WHERE NOT is_matched),
               coalesce(sum(their_fen) FILTER (WHERE NOT is_matched), 0),
               count(our_fen) FILTER (WHERE NOT is_matched), coalesce(sum(our_fen) FILTER (WHERE NOT is_matched), 0)
        FROM joined RETURNING id"""
_INSERT_DIFFERENCES: Final = """
        INSERT INTO difference (key, channel_id, payee_id, day, class, subject, out_trade_no, out_refund_no, file_id,
                                line, payment_id, refund_id, theirs_fen, ours_fen, state, first_run_id, last_run_id,
                                opened_at, moved_at, next_check_at, tries)
        SELECT gen_random_uuid(), :channel, :payee, :day, class, {subject}, {numbers}, {place}, {sides}, {sums},
               {state}, {run}, {run}, :now, :now, {next_check}, 0
        FROM {source}
        ON CONFLICT (channel_id, day, class, subject) WHERE state <> 'gone'
        DO UPDATE SET last_run_id = excluded.last_run_id, payment_id = excluded.payment_id,
                      refund_id = excluded.refund_id,
                      next_check_at = CASE difference.state WHEN 'held' THEN excluded.next_check_at
                                      ELSE difference.next_check_at END"""
_FOUND: Final = _INSERT_DIFFERENCES.format(
    subject="CASE refund_id WHEN '' THEN transaction_id ELSE refund_id END || "
    "CASE WHEN line IS NULL AND our_fen IS NOT NULL THEN '/ours' ELSE '' END",
    numbers="coalesce(out_trade_no, CASE WHEN refund_key IS NULL THEN our_number END), "
    "nullif(coalesce(out_refund_no, CASE WHEN refund_key IS NOT NULL THEN our_number END), '')",
    place="CASE WHEN line IS NOT NULL THEN CAST(:file AS bigint) END, line",
    sides="payment_found, refund_found",
    sums="coalesce(their_fen, 0), coalesce(our_fen, 0)",
    state="CASE WHEN class <> 'cross_day' THEN 'open' WHEN has_other_side THEN 'agreed' ELSE 'held' END",
    run="run.id",
    next_check="CASE WHEN class = ANY(:asked) THEN CAST(:now AS timestamptz) "
    "WHEN class = 'cross_day' AND NOT has_other_side THEN CAST(:held_until AS timestamptz) END",
    source="classed CROSS JOIN run",
)
COMPARE: Final[TextClause] = text(
    f"WITH {_JOINED}, {_ODD}, run AS ({_INSERT_RUN}), found AS ({_FOUND}) SELECT id FROM run"  # noqa: S608 - all parts are written here
)
"""The first leg: a run with its counts, and every difference that it found; returns the run's id."""

COMPARE_FLOWS: Final[TextClause] = text(
    f"""
    WITH expected AS (
        SELECT CASE kind WHEN 'REFUND' THEN refund_id ELSE transaction_id END AS subject,
               sum(settled_fen - fee_fen) AS fen
        FROM bill_line WHERE bill_id = :file GROUP BY 1
    ),
    moved AS (
        SELECT business_id AS subject, sum(amount_fen) AS fen
        FROM fund_line WHERE bill_id = :flow_file AND kind <> :settlement GROUP BY 1
    ),
    classed AS (
        SELECT coalesce(expected.subject, moved.subject) AS subject, moved.fen AS their_fen, expected.fen AS our_fen,
               CASE WHEN moved.fen IS NULL THEN 'flow_missing' WHEN expected.fen IS NULL THEN 'flow_extra'
                    ELSE 'flow_mismatch' END AS class
        FROM expected FULL JOIN moved ON moved.subject = expected.subject
        WHERE moved.fen IS DISTINCT FROM expected.fen AND coalesce(moved.fen, expected.fen) <> 0
    )
    {
        _INSERT_DIFFERENCES.format(
            subject="subject",
            numbers="NULL, NULL",
            place="NULL, NULL",
            sides="NULL, NULL",
            sums="coalesce(their_fen, 0), coalesce(our_fen, 0)",
            state="'open'",
            run="CAST(:run AS bigint)",
            next_check="NULL",
            source="classed",
        )
    }
    """  # noqa: S608 - all parts are written here
)
"""The second leg: what the trade bill leads one to expect in WeChat's account against what moved there."""

TELL_BIRTHS: Final[TextClause] = text(
    """
    INSERT INTO state_event (machine, entity_id, from_state, to_state, event, cause, at)
    SELECT 'difference', id, '', state, CASE state WHEN 'open' THEN 'find' WHEN 'held' THEN 'hold' ELSE 'agree' END,
           'run:' || first_run_id, :now
    FROM difference WHERE first_run_id = :run
    """
)
