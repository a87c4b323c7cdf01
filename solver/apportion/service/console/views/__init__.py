"""What each view shows, as plain values: no page, no browser."""
