"""The training of feed-forward networks by the command: johnson, cin, adain, wct."""
