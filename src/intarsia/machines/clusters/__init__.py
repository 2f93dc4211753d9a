"""Clusters and their catalogue."""

from intarsia.machines.clusters.cluster import Cluster, Level

__all__ = ["Cluster", "Level"]
