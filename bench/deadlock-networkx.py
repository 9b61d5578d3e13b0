# SPDX-License-Identifier: GPL-2.0-or-later
"""The peer of `deadlock-check` on a graph of single instances: deadlock-networkx.py FILE.

Reads lines `A -> B` in networkx' own way, and exits with 1 if there is a cycle: a strongly
connected component of more than one node.
"""

import sys

import networkx

graph = networkx.read_edgelist(sys.argv[1], delimiter=" -> ", create_using=networkx.DiGraph, data=False)
sys.exit(any(len(component) > 1 for component in networkx.strongly_connected_components(graph)))
