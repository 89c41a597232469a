"""The checks at the two boundaries: what arrived, and what would be published."""
