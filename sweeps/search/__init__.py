"""The search: what to try, when to stop it, and how Ray Tune is told."""
