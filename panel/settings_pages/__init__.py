"""The pages on which a panel is set up: applications, teams and people, API tokens, webhook keys."""
