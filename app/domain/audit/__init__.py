"""The audit log (审计日志) sealed: blocks in a chain, anchors outside, and the proof that all is there."""
