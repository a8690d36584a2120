"""Who works here: users with a role at a place in the tree, signing in."""
