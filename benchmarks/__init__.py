"""What the service costs, side by side with what it is compared with."""
