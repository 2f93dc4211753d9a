from dataclasses import dataclass
@dataclass(frozen=True, slots=True)
class Proofs:
    violations: tuple
    exceeded: tuple
def relations(embedding, chosen, max_operations):
    return Proofs((), ())
