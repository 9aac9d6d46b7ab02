"""The process roles, a file each: what it opens, how it says that it is ready, how it drains."""
