"""The command gx2c."""
