"""Studies that serve: a model that answers, on a chip that is searched for or given, with its best deployment."""
