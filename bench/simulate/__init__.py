"""The controller against the lab's model in virtual time: whole scenarios in seconds, random histories by the thousand."""
