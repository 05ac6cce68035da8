"""What the tests with real programs share: scratch folders, servers, a raw JSON-RPC client, load."""
