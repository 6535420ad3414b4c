"""The offline demo: its cases and its page."""
