//! Performs the engine's actions and journals their outcomes.
