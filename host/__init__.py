"""Everything around the engine: folders, jobs, and the command line."""
