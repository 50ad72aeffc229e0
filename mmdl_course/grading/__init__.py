"""The instructor's side: build, audit, autograding, reports."""
