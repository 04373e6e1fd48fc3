"""HTTP as it crosses the wire: exact requests, exchanges, redaction, XML, signatures, reproductions."""
