"""Where numbers come from: one file a source, and a package for recorded traces."""
