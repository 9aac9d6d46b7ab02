"""Pages of admins: editors over the commands, with a look before, conflicts as differences, and every version."""
