"""Clusters and their catalogue."""

from intarsia.machines.clusters.cluster import Cluster, Level
from intarsia.machines.clusters.read import cluster_names, read_cluster, read_clusters

__all__ = ["Cluster", "Level", "cluster_names", "read_cluster", "read_clusters"]
