"""torc's specifications into the IR."""
