"""The bench harness: clonewire and its peers on the same work, side by side."""
