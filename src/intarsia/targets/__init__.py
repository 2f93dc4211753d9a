"""One folder a target: description, instructions, lowering, simulator, timing."""
