"""The store of facts: opened and closed, asked, and extended by transactions."""

from yibao.adapters.store.errors import StoreError
from yibao.adapters.store.facts.asked import Beginning
from yibao.adapters.store.facts.store import FactStore, Reached, open_store
from yibao.adapters.store.facts.transactions import Transaction

__all__ = ["Beginning", "FactStore", "Reached", "StoreError", "Transaction", "open_store"]
