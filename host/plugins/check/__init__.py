"""`darkroom plugin check`: a plugin looked at from outside, and tried in a process of its own."""
