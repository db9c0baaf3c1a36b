"""What you decide: adopt, undo, and the page you read."""
