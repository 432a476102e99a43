"""What torc's versions and good habit say about a specification."""
