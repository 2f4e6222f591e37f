"""Form processing: signed submissions in, stored once, delivered to each tenant's destinations."""
