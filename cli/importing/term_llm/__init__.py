"""Jobs of term-llm, as its `jobs create` takes them. Called by `jobsctl import term-llm`."""
