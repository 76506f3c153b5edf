"""The app's tokens: session tokens exchanged, refreshed, or had by the authorization code grant (PLATFORM §2)."""

from .routes import bp as bp
