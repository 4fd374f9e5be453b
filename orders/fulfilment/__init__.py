"""From an accepted line to a service delivered: tasks done by machines and by people."""
