"""What runs beside the requests, for as long as the app."""
