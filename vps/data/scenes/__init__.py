"""Synthetic scenes whose causes are known."""
