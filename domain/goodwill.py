"""Money given back for a charge that was billed, with a credit note; what was billed stays as it was (C37)."""

from sqlmodel import Session

from domain import findings, sessions, settlement
from domain.models import ChargingSession, SessionState
from domain.money import plain_rupees
from domain.sentences import Sentence


class NotGivenBack(ValueError):
    """The argument is a sentence for the operator: why nothing moved."""


def give_back(db: Session, session_id: int, paise: int, why: str) -> ChargingSession:
    """Give a driver so much of a bill back, once: to what is owed first, else into the wallet.

    Unlike an adjustment of the wallet it lowers the operator's revenue and the GST in it.

    Raises:
        NotGivenBack: there is no bill, less was billed, or something was given back already; nothing moved.
    """
    session = sessions.locked(db, session_id)
    if session.state != SessionState.SETTLED or session.user_id is None or not session.receipt_number:
        raise NotGivenBack(Sentence("This charge has no bill of which anything could be given back."))
    if session.given_back_paise is not None:
        raise NotGivenBack(
            Sentence("{sum} of this charge was given back already.", sum=plain_rupees(session.given_back_paise))
        )
    if not 0 < paise <= session.cost_paise:
        raise NotGivenBack(
            Sentence("The charge cost {sum}; give back that much at most.", sum=plain_rupees(session.cost_paise))
        )
    session.given_back_paise = paise
    settlement.charge(db, session, "goodwill", why)
    findings.refund_due(db, session.user_id, session.ref, f"{plain_rupees(paise)} came back to")
    sessions.changed(db, session)
    return session
