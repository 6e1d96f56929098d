"""What happens at ``python3 -m kitchen …``."""
