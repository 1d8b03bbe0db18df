"""What follows the facts: who keeps a projection up, who leads; in it the audit trail."""
