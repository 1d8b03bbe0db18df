"""How it is told who asks: by static tokens of machines, bearer tokens, or a session."""

from yibao.adapters.http.identify.tokens import Tokens, bearer_of, first_of

__all__ = ["Tokens", "bearer_of", "first_of"]
