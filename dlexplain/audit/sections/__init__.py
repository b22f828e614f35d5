"""The sections of the record, one file each."""
