"""What we keep. These models are the only schemas; JSON Schema is made from them."""

from nightschool.records.audit import (
    AuditDecision,
    AuditEntry,
    Choice,
    Failure,
    FailureKind,
    Finding,
    Outcome,
    Retrospect,
)
from nightschool.records.exams import Edit, Evidence, Pair, Rollout, Ruling, Verdict
from nightschool.records.exams import Edit, Evidence, Pair, Rollout, Ruling, Sealed, Verdict
from nightschool.records.headless import HeadlessCall, HeadlessFailure, HeadlessFault, HeadlessReply, HeadlessRunner
from nightschool.records.nights import Funnel, Night, NightStatus, Seen
from nightschool.records.platforms import EvalSuite, NightRequest, PlatformNight, Target, TranscriptRef
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
    "AuditDecision",
    "AuditEntry",
    "Check",
    "CheckOp",
    "Choice",
    "DreamTask",
    "Edit",
    "EvalSuite",
    "Evidence",
    "Failure",
    "FailureKind",
    "FileChange",
    "Finding",
    "Funnel",
    "HeadlessCall",
    "HeadlessFailure",
    "HeadlessFault",
    "HeadlessReply",
    "HeadlessRunner",
    "Night",
    "NightRequest",
    "NightStatus",
    "Origin",
    "Outcome",
    "Pair",
    "PlatformNight",
    "Proposal",
    "ProposedRule",
    "Quote",
    "RealTask",
    "Receipt",
    "ReceiptState",
    "Recurrence",
    "Retrospect",
    "Rollout",
    "Ruling",
    "Sealed",
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
