"""The ledger's invariants, each with the rows that break it: the oracle of tests and the operator's check."""

from dataclasses import dataclass

from sqlmodel import Session

CHECKS = {
    "every transfer adds up to nothing": "SELECT t.id FROM transfers t LEFT JOIN entries e ON e.transfer_id = t.id "
    "GROUP BY t.id HAVING COALESCE(SUM(e.amount_paise), 1) <> 0",
    "every balance is the sum of its entries": "SELECT a.code FROM accounts a LEFT JOIN entries e "
    "ON e.account_code = a.code GROUP BY a.code, a.balance_paise "
    "HAVING a.balance_paise <> COALESCE(SUM(e.amount_paise), 0)",
    "every entry carries the balance after it": "SELECT id FROM (SELECT id, balance_after_paise, "
    "SUM(amount_paise) OVER (PARTITION BY account_code ORDER BY account_version) AS running FROM entries) AS story "
    "WHERE running <> balance_after_paise",
    "versions have no gaps": "SELECT a.code FROM accounts a LEFT JOIN entries e ON e.account_code = a.code "
    "GROUP BY a.code, a.version HAVING a.version <> COUNT(e.id) OR a.version <> COALESCE(MAX(e.account_version), 0)",
    "held money equals the open holds": "SELECT a.code FROM accounts a LEFT JOIN holds h "
    "ON h.account_code = a.code AND h.state = 'OPEN' GROUP BY a.code, a.held_paise "
    "HAVING a.held_paise <> COALESCE(SUM(h.amount_paise), 0)",
    "no wallet is overdrawn and no hold exceeds one": "SELECT code FROM accounts WHERE kind = 'wallet' "
    "AND (balance_paise < 0 OR held_paise < 0 OR held_paise > balance_paise)",
    "arrears are never a credit": "SELECT code FROM accounts WHERE kind = 'due' AND balance_paise > 0",
    "every credited recharge was credited once, with its amount": "SELECT o.merchant_order_id FROM recharge_orders o "
    "LEFT JOIN transfers t ON t.idem_key = 'recharge:' || o.merchant_order_id "
    "LEFT JOIN entries e ON e.transfer_id = t.id AND e.account_code = 'gateway:phonepe' "
    "WHERE (o.state = 'CREDITED') <> (t.id IS NOT NULL) OR (t.id IS NOT NULL AND e.amount_paise <> -o.amount_paise)",
    "every settled charge was debited once, with its cost": "SELECT s.id FROM charging_sessions s "
    "LEFT JOIN transfers t ON t.idem_key IN ('session:' || s.id, 'session:' || s.id || ':correction', "
    "'session:' || s.id || ':idle', 'session:' || s.id || ':goodwill') "
    "LEFT JOIN entries e ON e.transfer_id = t.id AND e.account_code IN ('revenue:charging', 'gst:output') "
    "WHERE s.user_id IS NOT NULL GROUP BY s.id, s.settled_at, s.cost_paise "
    "HAVING COALESCE(SUM(e.amount_paise), 0) <> CASE WHEN s.settled_at IS NULL THEN 0 ELSE s.cost_paise END",
    "every refund's money is where its state says": "SELECT r.merchant_refund_id FROM refunds r "
    "LEFT JOIN transfers t ON t.idem_key = 'refund:' || r.merchant_refund_id || ':requested' "
    "LEFT JOIN entries e ON e.transfer_id = t.id AND e.account_code = 'refund_clearing' "
    "LEFT JOIN transfers tc ON tc.idem_key = 'refund:' || r.merchant_refund_id || ':completed' "
    "LEFT JOIN entries ec ON ec.transfer_id = tc.id AND ec.account_code = 'gateway:phonepe' "
    "LEFT JOIN transfers tr ON tr.idem_key = 'refund:' || r.merchant_refund_id || ':returned' "
    "LEFT JOIN entries er ON er.transfer_id = tr.id AND er.account_code = 'refund_clearing' "
    "WHERE COALESCE(e.amount_paise, 0) <> r.amount_paise "
    "OR COALESCE(ec.amount_paise, 0) <> CASE WHEN r.state = 'COMPLETED' "
    "THEN COALESCE(r.paid_paise, r.amount_paise) ELSE 0 END "
    "OR COALESCE(er.amount_paise, 0) <> CASE WHEN r.state IN ('FAILED', 'REJECTED') THEN -r.amount_paise "
    "WHEN r.paid_paise < r.amount_paise THEN r.paid_paise - r.amount_paise ELSE 0 END",
    "clearing is what is on its way back": "SELECT 'refund_clearing' FROM ("
    "SELECT (SELECT COALESCE(SUM(balance_paise), 0) FROM accounts WHERE code = 'refund_clearing') AS kept, "
    "(SELECT COALESCE(SUM(amount_paise), 0) FROM refunds "
    "WHERE state IN ('NEW', 'UNKNOWN', 'PENDING', 'CONFIRMED')) AS underway) AS sums WHERE kept <> underway",
    "no more goes back than a recharge brought": "SELECT o.merchant_order_id FROM recharge_orders o "
    "JOIN refunds r ON r.merchant_order_id = o.merchant_order_id AND r.state NOT IN ('FAILED', 'REJECTED') "
    "GROUP BY o.merchant_order_id, o.state, o.amount_paise "
    "HAVING SUM(CASE WHEN r.paid_paise < r.amount_paise THEN r.paid_paise ELSE r.amount_paise END) > o.amount_paise "
    "OR o.state <> 'CREDITED'",
    "what a charge, a recharge or a refund moves is its own driver's": "SELECT t.idem_key FROM accounts a "
    "JOIN entries e ON e.account_code = a.code JOIN transfers t ON t.id = e.transfer_id "
    "LEFT JOIN charging_sessions s ON s.ref = t.ref LEFT JOIN recharge_orders o ON o.merchant_order_id = t.ref "
    "LEFT JOIN refunds r ON r.merchant_refund_id = t.ref "
    "WHERE a.user_id IS NOT NULL AND t.ref <> '' AND a.user_id <> COALESCE(s.user_id, o.user_id, r.user_id, 0)",
    "every open hold is in the wallet of its charge's driver": "SELECT h.session_id FROM holds h "
    "JOIN charging_sessions s ON s.id = h.session_id "
    "WHERE h.state = 'OPEN' AND h.account_code <> 'wallet:' || COALESCE(s.user_id, 0)",
    "open holds belong to unsettled charges": "SELECT h.session_id FROM holds h JOIN charging_sessions s "
    "ON s.id = h.session_id WHERE h.state = 'OPEN' AND s.state IN ('SETTLED', 'CANCELLED')",
    "receipts and notes add up to what charges cost": "SELECT s.id FROM charging_sessions s "
    "LEFT JOIN receipts r ON r.session_id = s.id WHERE s.user_id IS NOT NULL "
    "GROUP BY s.id, s.settled_at, s.cost_paise "
    "HAVING COALESCE(SUM(CASE r.kind WHEN 'CN' THEN -r.total_paise ELSE r.total_paise END), 0) "
    "<> CASE WHEN s.settled_at IS NULL THEN 0 ELSE s.cost_paise END",
    "the GST of a charge is that of its price, in the ledger and on its papers": "SELECT s.id FROM ("
    "SELECT id, ref, settled_at, CASE WHEN settled_at IS NULL THEN 0 ELSE gst_paise END AS gst, "
    "(2 * cost_paise * gst_basis_points + 10000 + gst_basis_points) / (2 * (10000 + gst_basis_points)) AS of_price "
    "FROM charging_sessions WHERE user_id IS NOT NULL) AS s "
    "LEFT JOIN (SELECT t.ref, SUM(e.amount_paise) AS paise FROM entries e JOIN transfers t ON t.id = e.transfer_id "
    "WHERE e.account_code = 'gst:output' GROUP BY t.ref) AS booked ON booked.ref = s.ref "
    "LEFT JOIN (SELECT session_id, SUM(CASE kind WHEN 'CN' THEN -gst_paise ELSE gst_paise END) AS paise FROM receipts "
    "GROUP BY session_id) AS papers ON papers.session_id = s.id "
    "WHERE COALESCE(booked.paise, 0) <> s.gst OR COALESCE(papers.paise, 0) <> s.gst "
    "OR (s.settled_at IS NOT NULL AND s.gst <> s.of_price)",
    "only who has left has given up what was left": "SELECT t.idem_key FROM entries e "
    "JOIN transfers t ON t.id = e.transfer_id LEFT JOIN users u ON t.idem_key = 'waived:' || u.id "
    "WHERE e.account_code = 'waived' AND (u.id IS NULL OR u.username <> 'deleted ' || u.id)",
    "receipt numbers have no gaps": "SELECT c.series || '/' || c.financial_year FROM receipt_counters c "
    "LEFT JOIN receipts r ON SUBSTR(r.number, 1, 8) = c.series || '/' || c.financial_year "
    "GROUP BY c.series, c.financial_year, c.last "
    "HAVING COUNT(r.number) <> c.last OR MAX(CAST(SUBSTR(r.number, 10) AS INTEGER)) <> c.last",
}
"""What is checked, and the query that finds the rows breaking it."""


@dataclass(frozen=True, slots=True)
class Check:
    """One invariant and the keys of up to ten rows that break it."""

    says: str
    broken: tuple[str, ...]


def audit(db: Session) -> list[Check]:
    """Run every invariant; all is well when no check names a row."""
    return [
        Check(says, tuple(str(row[0]) for row in db.connection().exec_driver_sql(query).fetchmany(10)))
        for says, query in CHECKS.items()
    ]
