"""How it is told who asks: by static tokens of machines, bearer tokens, or a provider's sign-in."""

from yibao.adapters.http.identify.provider import SignIn
from yibao.adapters.http.identify.tokens import Tokens, first_of
from yibao.adapters.http.identify.ways import Registered, ways_of

__all__ = ["Registered", "SignIn", "Tokens", "first_of", "ways_of"]
