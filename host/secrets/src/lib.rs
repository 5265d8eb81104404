//! Tokens, masking, substitution, encryption at rest.
