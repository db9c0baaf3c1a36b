"""From a proposed rule to the words it rests on."""

from nightschool.night.steps import Steps, all_nights
from nightschool.paths import Home
from nightschool.records import Place, Proposal


def rule_places(home: Home, rule: str) -> tuple[Place, ...]:
    """Return where the user's words stand that the newest proposal of a rule rests on; empty when none is known."""
    for night in reversed(all_nights(home)):
        proposal = Steps(home, night.id).found("proposal", Proposal)
        for proposed in proposal.rules if proposal else ():
            if proposed.edit.id == rule:
                return tuple(
                    Place(platform=q.platform, session=q.session, turn=q.turn, at=q.at, span=q.span)
                    for q in proposed.quotes
                )
    return ()
