"""The intermediate representation: small nouns with a defined meaning (docs/architecture.md, "The nouns")."""
