"""Where the pages come from, and the HTTP client that fetches them."""
