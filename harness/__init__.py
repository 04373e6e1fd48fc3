"""The judge: drives real S3 clients against an endpoint and says what each answer is worth."""

__version__ = "0.1.0"
