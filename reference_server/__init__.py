"""The bundled S3 reference server: S3 as AWS documents and answers it, small enough to read.

It imports nothing from the harness, so that one mistake cannot hide in both.
"""
