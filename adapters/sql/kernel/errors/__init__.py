"""What the drivers raise, in the application's words."""
