"""Whose URLs, cookies and errors `fetch` has: httpx's; where only httpx2 is installed, which continues it, those."""

try:
    import httpx
except ImportError:
    import httpx2 as httpx

__all__ = ["httpx"]
