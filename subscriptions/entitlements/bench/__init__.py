"""How long an entitlement takes to answer, beside a bare read by primary key."""
