"""Projects and mandates that fit each other, with reasons."""
