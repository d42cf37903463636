"""What the end-to-end tests share: writing images, running omtask, and saying what is right."""
