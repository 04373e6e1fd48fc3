"""Real gateways: descriptions of how to install and start each, and what starts, judges and stops them.

`description.py` reads `fixtures/gateways/NAME.toml`, `install.py` gets the software, `launch.py` takes the steps to a
running gateway with the processes of `process.py`, or `container.py` does with an image; `judge.py` runs the suite
against it. `python -m harness.gateways NAME…` does all of that. See docs/gateways.md.
"""
