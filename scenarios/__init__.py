"""The specification: one module per family of the catalogue, client workflows in `workflows`."""
