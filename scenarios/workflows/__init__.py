"""What people do with real clients: whole commands, judged by exit code, by output, and by a second look."""
