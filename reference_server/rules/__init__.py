"""Rules of S3 as pure functions: no input or output, no store, no HTTP."""
