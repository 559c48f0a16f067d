"""The engine: graph, keys, store, execution. No physics and no YAML."""
