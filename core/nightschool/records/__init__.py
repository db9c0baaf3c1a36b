"""What we keep. These models are the only schemas; JSON Schema is made from them."""

from nightschool.records.exams import Edit, Evidence, Pair, Rollout, Ruling, Verdict
from nightschool.records.headless import HeadlessCall, HeadlessFailure, HeadlessFault, HeadlessReply, HeadlessRunner
from nightschool.records.nights import Funnel, Night, NightStatus, Seen
from nightschool.records.platforms import Kept, NightRequest, PlatformNight, Target, TranscriptRef
from nightschool.records.proposals import FileChange, Proposal, ProposedRule, Receipt, ReceiptState
from nightschool.records.sessions import BRIEF_TAG, OWN_MARK, Session, Source, ToolCall, Turn
from nightschool.records.tasks import (
    Check,
    CheckOp,
    DreamTask,
    Origin,
    Quote,
    RealTask,
    Recurrence,
    Split,
    Task,
)

__all__ = [
    "BRIEF_TAG",
    "OWN_MARK",
    "Check",
    "CheckOp",
    "DreamTask",
    "Edit",
    "Evidence",
    "FileChange",
    "Funnel",
    "HeadlessCall",
    "HeadlessFailure",
    "HeadlessFault",
    "HeadlessReply",
    "HeadlessRunner",
    "Kept",
    "Night",
    "NightRequest",
    "NightStatus",
    "Origin",
    "Pair",
    "PlatformNight",
    "Proposal",
    "ProposedRule",
    "Quote",
    "RealTask",
    "Receipt",
    "ReceiptState",
    "Recurrence",
    "Rollout",
    "Ruling",
    "Seen",
    "Session",
    "Source",
    "Split",
    "Target",
    "Task",
    "ToolCall",
    "TranscriptRef",
    "Turn",
    "Verdict",
]
