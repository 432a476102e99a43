"""What was kept and what was lost: fates, the ledger and the report."""

from pwxc.fidelity.fate import KEEPING, Fate
from pwxc.fidelity.ledger import Account, Entry, Ledger
from pwxc.fidelity.report import Report

__all__ = ["KEEPING", "Account", "Entry", "Fate", "Ledger", "Report"]
