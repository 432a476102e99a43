"""The IR into torc's specifications."""
