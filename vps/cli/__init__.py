"""The `vps` command."""
