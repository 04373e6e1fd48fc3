"""Proof that every scenario can fail: the suite against each defect of the reference server.

`python -m tests.mutants` (`nox -s mutants`) writes `fixtures/mutants.json`; the reports and `s3conform explain` show
from it which defects a scenario is known to catch.
"""
