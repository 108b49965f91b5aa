"""Live events: one look at the feed for all who listen, told over WebSocket and as SSE."""
