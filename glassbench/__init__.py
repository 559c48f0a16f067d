"""glassbench: a declarative benchmark of structure-property descriptors of metallic glasses."""
