"""The controller against the lab's model in virtual time: scenarios in a second, random histories by the thousand."""
