"""While you sleep: mine, replay, judge, gate, stage."""
