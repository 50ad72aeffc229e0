"""What a test cell uses: named checks, partial credit, messages that teach."""
