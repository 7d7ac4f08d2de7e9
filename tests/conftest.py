"""What stands here needs real servers: `infrastructure` and `platform` come from `launcher.fixtures`."""
