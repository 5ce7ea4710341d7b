"""Make a dataset from files of any common layout."""
