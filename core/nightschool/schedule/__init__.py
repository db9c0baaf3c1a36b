"""When nights run by themselves: cron, systemd, launchd or Windows, told once and taken back exactly."""
