"""What the city tells a motorist: an inbox in the app (站内信)."""
