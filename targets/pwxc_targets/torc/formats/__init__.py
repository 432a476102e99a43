"""The formats that torc's specifications are written in: YAML, JSON, JSON5, KDL."""
