"""The courier's phone and the handover lists that both sides sign."""
