"""Its place puts tests/ on the import path, so that every room's tests can make a `tiny_course`."""
